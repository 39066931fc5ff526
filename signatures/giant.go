package signatures

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A largeError says that a script was searched up to this many bytes, and its end.
type largeError int64

func (e largeError) Error() string {
	return fmt.Sprintf("larger than %d bytes; only the beginning and the end were searched", int64(e))
}

// giant reads the rest of a file whose beginning was read. Of a script, beginning and end are searched.
func (sc *scan) giant(name string, data []byte, in io.Reader, as readAs, wantHash bool) (sum string, err error) {
	if wantHash {
		sc.hash.Reset()
		sc.hash.Write(data)
		in = io.TeeReader(in, sc.hash)
	}
	if as == asBytes {
		n, copyErr := io.CopyBuffer(io.Discard, in, sc.buf[:cap(sc.buf)])
		sc.c.Bytes += n
		err = copyErr
	} else {
		err = sc.giantScript(name, data, in, as)
	}
	if err != nil && !errors.As(err, new(largeError)) {
		return "", err
	}
	if wantHash {
		sum = hex.EncodeToString(sc.hash.Sum(nil))
	}
	return sum, err
}

func (sc *scan) giantScript(name string, data []byte, in io.Reader, as readAs) error {
	limit := sc.rs.limits.script
	rest := slices.Clone(data[limit:])
	beginning := decodeText(data[:limit])
	facts := sc.search(beginning, as)
	sc.name(facts)
	sc.note(&where{name: show(name), data: beginning}, facts)
	mark := slices.Clone(data[:2])
	end, passed, err := lastBytes(rest, in)
	sc.c.Bytes += passed
	if err != nil {
		return err
	}
	if wide := mark[0]^mark[1] == 1 && mark[0] >= 0xFE; wide { // UTF-16: the end is read by the mark at the beginning
		if (limit+int64(len(rest))+passed-int64(len(end)))%2 == 1 {
			end = end[1:]
		}
		end = decodeText(append(mark, end...))
	}
	facts = sc.search(end, as)
	sc.name(facts)
	sc.note(&where{name: show(name), data: end, apart: true}, facts)
	return largeError(limit)
}

// lastBytes reads in to its end and returns the last of start and what was read, and how much that was.
func lastBytes(start []byte, in io.Reader) (end []byte, passed int64, err error) {
	buf := make([]byte, 64<<10)
	end = start
	for {
		n, err := in.Read(buf)
		passed += int64(n)
		if end = append(end, buf[:n]...); len(end) > 2*tailScript {
			end = append(end[:0], end[len(end)-tailScript:]...)
		}
		switch {
		case errors.Is(err, io.EOF):
			return end[max(0, len(end)-tailScript):], passed, nil
		case err != nil:
			return nil, passed, err
		}
	}
}
