"""Reading the machine readable zone off pictures: the networks, several looks, the second reader."""
