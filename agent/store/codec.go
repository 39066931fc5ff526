package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
)

const (
	// maxUnpacked bounds what a row may unpack to. The largest reports of real extensions are about 2 MB.
	maxUnpacked = 32 << 20
	// maxPacked bounds one row.
	maxPacked = 4 << 20
	// maxText bounds a text that a person or a thief wrote: a reason, a name, a line of the timeline.
	maxText = 1000
)

var errTooLarge = errors.New("it is too large to be kept")

// A packer turns values into compressed JSON. Its buffers serve one transaction.
type packer struct {
	out  bytes.Buffer
	comp *flate.Writer
}

func (p *packer) compress(text []byte) ([]byte, error) {
	if len(text) > maxUnpacked {
		return nil, errTooLarge
	}
	p.out.Reset()
	if p.comp == nil {
		w, err := flate.NewWriter(&p.out, 3)
		if err != nil {
			return nil, err
		}
		p.comp = w
	} else {
		p.comp.Reset(&p.out)
	}
	if _, err := p.comp.Write(text); err != nil {
		return nil, err
	}
	if err := p.comp.Close(); err != nil {
		return nil, err
	}
	if p.out.Len() > maxPacked {
		return nil, errTooLarge
	}
	return bytes.Clone(p.out.Bytes()), nil
}

// unpack reads what pack wrote. The data may be anything.
func unpack(data []byte, v any) error {
	text, err := inflate(data)
	if err != nil {
		return fmt.Errorf("unpack a row: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read a row: %w", err)
	}
	return nil
}

func inflate(data []byte) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxUnpacked+1))
	if err == nil && len(text) > maxUnpacked {
		err = errTooLarge
	}
	return text, err
}

// short cuts a text to what is kept of it.
func short(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

// keyOf makes a short name from texts that stays the same.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
