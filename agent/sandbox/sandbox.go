// Package sandbox gives up what a process may do, before it touches what a thief may have made.
//
// The processes that read a user's folders and that parse code call it first of all. Each kind of protection is taken
// where the system has it: other user IDs, no new privileges, Landlock and seccomp on Linux; other user IDs on macOS; a
// restricted token with low integrity on Windows, which the parent makes with Confine.
package sandbox

// A Policy says what the process goes on to do. Whatever it is, it makes no connection, starts no program and writes no
// file: all it has is the pipes to its parent.
type Policy struct {
	Read bool // it opens files, for reading
	Root bool // it stays root, if it is: to read what belongs to root
}

// Enter gives up everything that the policy does not name, for the whole process and for good. It returns what this
// system could not enforce; nothing is left half done. As root, it first becomes Nobody.
func Enter(p Policy) (missing []string, err error) { return enter(p) }

// Nobody is the user and group of a process that needs no files: what Linux calls the overflow ID, which owns nothing.
const Nobody = 65534
