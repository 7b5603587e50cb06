Cellvec.runAndExit()
