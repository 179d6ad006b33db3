"""Where answers come from: the image, a file, the boot medium, a URL, the kernel command line."""
