"""What the network on chip offers a kernel: syncs, mailboxes and portals."""
