"""The migration daemons as tasks of the kernel's dispatcher: the published one and the hardened one."""
