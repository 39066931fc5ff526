package reader

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/manifests/archive"
)

// A message is: its length, its number, the length of its JSON, the JSON, and bytes of a file. Answers have the number
// of their request, and come in any order.
const (
	headerSize = 4 + 8 + 4
	// maxMessage bounds one message. A profile with 2,000 extensions is a listing of some megabytes.
	maxMessage = 64 << 20
	// chunk is how much of a file comes with one message: most files come with the first.
	chunk = 256 << 10
)

const (
	opFind     = "find"
	opRead     = "read"
	opOpen     = "open"     // an extension
	opProblems = "problems" // of its files
	opClose    = "close"
	opStat     = "stat"
	opList     = "list" // a folder
	opFile     = "file" // open a file, and its first bytes
	opMore     = "more" // of it
	opDone     = "done" // with it
)

type request struct {
	Op     string       `json:"op"`
	Find   *findRequest `json:"find,omitempty"`
	Read   *readRequest `json:"read,omitempty"`
	Handle int          `json:"handle,omitempty"` // of an extension
	Files  int          `json:"files,omitempty"`  // of an opened extension
	File   int          `json:"file,omitempty"`   // of an opened file
	Name   string       `json:"name,omitempty"`
}

type findRequest struct {
	OS        string             `json:"os"`
	Root      string             `json:"root"`
	User      browsers.User      `json:"user"`
	Processes []browsers.Process `json:"processes"`
}

type readRequest struct {
	Profile browsers.Profile `json:"profile"`
	Locale  string           `json:"locale"`
	OS      string           `json:"os"`
	Root    string           `json:"root"`
}

// A listing is an inventory.Listing with handles by which the extensions are opened; 0 has no files.
type listing struct {
	Extensions []listed            `json:"extensions"`
	Problems   []manifests.Problem `json:"problems"`
}

type listed struct {
	Extension manifests.Extension `json:"extension"`
	Handle    int                 `json:"handle"`
}

type openAnswer struct {
	Files int `json:"files"`
}

// An info is an fs.FileInfo and an fs.DirEntry.
type info struct {
	N string      `json:"n"`
	S int64       `json:"s"`
	M fs.FileMode `json:"m"`
	T time.Time   `json:"t"`
}

func (i info) Name() string               { return i.N }
func (i info) Size() int64                { return i.S }
func (i info) Mode() fs.FileMode          { return i.M }
func (i info) ModTime() time.Time         { return i.T }
func (i info) IsDir() bool                { return i.M.IsDir() }
func (i info) Type() fs.FileMode          { return i.M.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }
func (i info) Sys() any                   { return nil }

func infoOf(fi fs.FileInfo) info { return info{fi.Name(), fi.Size(), fi.Mode(), fi.ModTime()} }

type fileAnswer struct {
	File int  `json:"file"` // 0: it came whole
	Info info `json:"info"`
}

// A failure is an error on its way. Only the kinds that callers tell apart are kept.
type failure struct {
	Kind string `json:"kind,omitempty"`
	Op   string `json:"op,omitempty"`
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
}

// An answer is the JSON of one: a value or a failure.
type answer struct {
	Value   json.RawMessage `json:"v,omitempty"`
	Failure *failure        `json:"e,omitempty"`
}

var (
	errEnded     = errors.New("the process that reads for this user has ended")
	errForgotten = errors.New("the extension was listed too long ago")
)

func kinds() map[string]error {
	return map[string]error{
		"missing": fs.ErrNotExist, "forbidden": fs.ErrPermission, "refused": archive.ErrRefused, "invalid": fs.ErrInvalid,
		"closed": fs.ErrClosed, "forgotten": errForgotten,
	}
}

func failureOf(err error) *failure {
	f := &failure{Text: err.Error()}
	for kind, target := range kinds() {
		if errors.Is(err, target) {
			f.Kind = kind
		}
	}
	var pe *fs.PathError
	if errors.As(err, &pe) && pe == err {
		f.Op, f.Path, f.Text = pe.Op, pe.Path, pe.Err.Error()
	}
	return f
}

// remoteError is a failure as an error again.
type remoteError struct {
	text string
	kind error
}

func (e remoteError) Error() string { return e.text }
func (e remoteError) Unwrap() error { return e.kind }

func (f *failure) err() error {
	err := error(remoteError{f.Text, kinds()[f.Kind]})
	if f.Op != "" {
		return &fs.PathError{Op: f.Op, Path: f.Path, Err: err}
	}
	return err
}

func writeMessage(w io.Writer, number uint64, v any, data []byte) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	if len(text)+len(data) > maxMessage {
		return fmt.Errorf("a message of %d MB is too large", (len(text)+len(data))>>20)
	}
	buf := make([]byte, headerSize, headerSize+len(text)+len(data))
	binary.BigEndian.PutUint32(buf, uint32(len(text)+len(data)))
	binary.BigEndian.PutUint64(buf[4:], number)
	binary.BigEndian.PutUint32(buf[12:], uint32(len(text)))
	_, err = w.Write(append(append(buf, text...), data...))
	return err
}

func readMessage(r io.Reader) (number uint64, text, data []byte, err error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, nil, err
	}
	size, split := binary.BigEndian.Uint32(header[:]), binary.BigEndian.Uint32(header[12:])
	if size > maxMessage || split > size {
		return 0, nil, nil, fmt.Errorf("a message of %d bytes, %d of them JSON", size, split)
	}
	buf, err := io.ReadAll(io.LimitReader(r, int64(size))) // grows with what comes, not with what is announced
	if err == nil && len(buf) < int(size) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, nil, err
	}
	return binary.BigEndian.Uint64(header[4:]), buf[:split], buf[split:], nil
}
