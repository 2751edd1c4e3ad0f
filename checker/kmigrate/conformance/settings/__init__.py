"""What a run is made of: programs, the machine and what is asked of it, who decides, and the file of it all."""
