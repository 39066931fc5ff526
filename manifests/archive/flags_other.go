//go:build !unix

package archive

// No file here blocks its opening, so nothing is to be added.
const (
	openFlags = 0
	asFolder  = ""
)
