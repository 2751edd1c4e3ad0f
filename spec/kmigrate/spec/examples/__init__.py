"""Small well-known models with published counts: what the engines are held against."""
