package fold

import (
	"unsafe"

	"github.com/tdewolff/parse/v2/js"
)

// A Script is what a Folder reads.
type Script struct {
	AST       *js.AST
	Src       []byte // the text that the leaves of AST are slices of
	OpenTexts bool   // it is known to keep its texts in no array
}

// Offset returns where in src a leaf's data stands, in bytes, or -1 when the data is a copy. The parser keeps no positions,
// but its leaves are slices of the text it was given.
func Offset(src, data []byte) int {
	if len(data) == 0 || len(src) == 0 {
		return -1
	}
	at := uintptr(unsafe.Pointer(unsafe.SliceData(data))) // only compared, never followed
	start := uintptr(unsafe.Pointer(unsafe.SliceData(src)))
	if at < start || at >= start+uintptr(len(src)) {
		return -1
	}
	return int(at - start)
}
