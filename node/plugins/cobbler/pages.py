"""The page of cobbler, which nobody is asked: its answers come with the profile."""

from node.model.page import Page

PAGES = (Page("cobbler", "Cobbler", asked=False),)
