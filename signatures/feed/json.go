package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxNesting is the deepest nesting of metadata; TUF's own has 6 levels, what signers add freely is rarely deeper.
const maxNesting = 32

// checkJSON refuses metadata that two readers may understand in two ways: a key twice in one object (also in another
// case, which Go's decoder takes for the same field), something behind the value, deep nesting. The signature would not
// save a reader that takes the first key from a signer who was tricked by a tool that takes the last.
func checkJSON(data []byte) error {
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && first[0] == '<' {
		return errors.New("the answer is a web page, not the feed: a login page, a proxy's page or a wrong address")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("cut short")
		}
		return fmt.Errorf("not JSON as expected: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("not JSON as expected: something behind the end")
	}
	return nil
}

func checkValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth >= maxNesting {
		return errors.New("nested too deeply")
	}
	keys := map[string]bool{}
	for dec.More() {
		if open == '{' {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			low := strings.ToLower(name)
			if keys[low] {
				return fmt.Errorf("key %.80q twice in one object", name)
			}
			keys[low] = true
		}
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}
