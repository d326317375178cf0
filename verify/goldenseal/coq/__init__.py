"""The formal layer: reads, generates, builds and checks a folder of Coq files."""
