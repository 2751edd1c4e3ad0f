"""What the network on chip offers a kernel: mailboxes and portals."""
