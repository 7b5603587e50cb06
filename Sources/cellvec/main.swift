print("cellvec")
