package analysis

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// What parent and worker tell each other: frames of one byte for the kind, four for the length, and so many bytes. The
// worker opens nothing: it asks for the bytes of files by their number in the list that it was given.
const (
	frameStart   = 'S' // parent: a task, in JSON
	frameData    = 'D' // parent: bytes of a file; none at its end
	frameError   = 'E' // parent: why the file cannot be read
	frameRead    = 'R' // worker: number, offset and length of bytes wanted
	framePhase   = 'P' // worker: what it does now
	frameReport  = 'Z' // worker: an answer, in JSON
	headerLength = 5
)

const (
	// maxFrame bounds a frame in both directions. The largest are reports and lists of files.
	maxFrame = 64 << 20
	// maxChunk is how many bytes of a file are sent at once.
	maxChunk = 1 << 20
)

// A task is one extension for a worker.
type task struct {
	Manifest *manifests.Manifest
	Names    [][]byte // bytes: names need not be UTF-8
	Skip     []string
	Plain    bool // no syntax trees: every one of them killed a worker
	NoFlows  bool // no engine: it killed a worker
	Roomy    bool // the worker is the one that may use much memory
}

// An answer is what a worker found.
type answer struct {
	Report behavior.Report
	Stuck  bool // something still runs in the worker, which ends now
	Giant  bool // there is no report: the code is a matter of the worker with much memory
}

// A phase is what a worker does at a time.
type phase byte

const (
	reading phase = iota
	parsing
	following
)

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		return fmt.Errorf("a frame of %d bytes is too large", len(payload))
	}
	const small = 4 << 10 // up to here one more copy is cheaper than one more system call
	frame := make([]byte, headerLength, headerLength+min(len(payload), small))
	frame[0] = kind
	binary.LittleEndian.PutUint32(frame[1:], uint32(len(payload)))
	if len(payload) <= small {
		frame, payload = append(frame, payload...), nil
	}
	_, err := w.Write(frame)
	if err == nil && len(payload) > 0 {
		_, err = w.Write(payload)
	}
	if err != nil {
		return fmt.Errorf("writing a frame: %w", err)
	}
	return nil
}

func writeJSON(w io.Writer, kind byte, value any) error {
	payload, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding a frame: %w", err)
	}
	return writeFrame(w, kind, payload)
}

// readFrame reads one frame. The payload is valid until buf is used again.
func readFrame(r io.Reader, buf *[]byte) (kind byte, payload []byte, err error) {
	var header [headerLength]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, fmt.Errorf("reading a frame: %w", err)
	}
	n := int(binary.LittleEndian.Uint32(header[1:]))
	if n > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes is too large", n)
	}
	// A length that is a lie costs no more than the bytes that come.
	*buf = (*buf)[:0]
	for len(*buf) < n {
		have := len(*buf)
		step := min(n-have, max(maxChunk, have))
		if cap(*buf) < have+step {
			*buf = append(make([]byte, 0, have+step), *buf...)
		}
		*buf = (*buf)[:have+step]
		if _, err := io.ReadFull(r, (*buf)[have:]); err != nil {
			return 0, nil, fmt.Errorf("reading a frame: %w", err)
		}
	}
	return header[0], *buf, nil
}

func readRequest(number int, offset int64, n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(number))
	b = binary.LittleEndian.AppendUint64(b, uint64(offset))
	return binary.LittleEndian.AppendUint32(b, uint32(n))
}

func parseReadRequest(b []byte) (number int, offset int64, n int, ok bool) {
	if len(b) != 16 {
		return 0, 0, 0, false
	}
	number = int(binary.LittleEndian.Uint32(b))
	offset = int64(binary.LittleEndian.Uint64(b[4:]) & (1<<62 - 1))
	n = int(min(binary.LittleEndian.Uint32(b[12:]), maxChunk))
	return number, offset, n, true
}
