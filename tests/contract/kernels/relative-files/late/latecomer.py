NAME = "latecomer"
