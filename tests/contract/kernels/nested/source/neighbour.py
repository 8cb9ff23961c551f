NAME = "here"
