"""Sets up a RAID controller before disks are chosen."""
