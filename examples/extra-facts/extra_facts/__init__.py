"""Tells a server of DMI, sensors and SMART."""
