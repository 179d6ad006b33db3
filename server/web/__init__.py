"""The web page: plain HTML by templates that escape everything, plain forms, no script."""
