# A task in Python. What it prints is its output, and so are the files that it writes.
import json
import sys

name = sys.argv[1] if len(sys.argv) > 1 else "world"
print(f"Hello, {name}!")

with open("squares.json", "w") as file:
    json.dump([n**2 for n in range(5)], file)
print("squares.json:", open("squares.json").read())

for line in sys.stdin:
    print("You typed:", line.rstrip("\n"))
