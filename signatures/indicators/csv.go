package indicators

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxCSV bounds a CSV file in bytes: twice a million rows with sources and notes.
const MaxCSV = 256 << 20

// A Mistake is something wrong in a CSV file, and where.
type Mistake struct {
	Line   int // from 1; 0 when it is about the whole file
	Reason string
	Hint   string // what to do about it; may be empty
}

// more are the columns that may follow.
const more = ",date,tags"

// header returns the columns that every file of the kind has.
func header(kind Kind) string {
	switch kind {
	case ID:
		return "id,browser,versions,campaign,verdict,source,note"
	case SHA256:
		return "sha256,campaign,verdict,source,note"
	}
	return "domain,campaign,verdict,source,note"
}

// ReadCSV calls each for every row of a file, in order, and returns all that is wrong with it. An error of each is a
// mistake in the line of its row. The file begins with the line that WriteCSV writes; date and tags may be left out.
func ReadCSV(kind Kind, data []byte, each func(Row) error) []Mistake {
	r := &csvReader{kind: kind, each: each, seen: map[string]bool{}}
	if len(data) > MaxCSV {
		r.fail(0, "split it into several rulesets", "%d bytes; at most %d are read", len(data), MaxCSV)
		return r.mistakes
	}
	rd := csv.NewReader(bytes.NewReader(data))
	rd.FieldsPerRecord = -1
	rd.ReuseRecord = true
	for first := true; ; first = false {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			if first {
				r.fail(1, "", "the header %q is missing", header(kind))
			}
			return r.mistakes
		}
		if err != nil {
			line := 0
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				line, err = parse.Line, parse.Err
			}
			r.fail(line, "put a text with commas or quotes in quotes, and double the quotes inside", "%v", err)
			return r.mistakes
		}
		line, _ := rd.FieldPos(0)
		if !first {
			r.row(line, row)
			continue
		}
		switch strings.Join(row, ",") {
		case header(kind), header(kind) + more:
			r.columns = len(row)
		default:
			r.fail(line, "", "expected the header %q", header(kind))
			return r.mistakes
		}
	}
}

type csvReader struct {
	kind     Kind
	each     func(Row) error
	columns  int
	seen     map[string]bool
	mistakes []Mistake
}

func (r *csvReader) fail(line int, hint, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{line, fmt.Sprintf(format, args...), hint})
}

func (r *csvReader) row(line int, row []string) {
	if len(row) != r.columns {
		r.fail(line, "put a text with commas in quotes", "%d columns; expected %d", len(row), r.columns)
		return
	}
	at := 1
	out := Row{Value: row[0]}
	if r.kind == ID {
		out.Browser, out.Versions = row[1], splitVersions(row[2])
		if row[2] != "*" && out.Versions == nil {
			out.Versions = []string{} // nil would mean all
		}
		at = 3
	}
	key := strings.Join(row[:at+1], ",")
	if r.seen[key] {
		r.fail(line, "delete one", "the row for %q stands twice", clip(row[0]))
		return
	}
	r.seen[key] = true
	out.Campaign, out.Verdict, out.Source, out.Note = row[at], row[at+1], row[at+2], row[at+3]
	if len(row) > at+4 {
		out.Date, out.Tags = row[at+4], strings.Fields(row[at+5])
	}
	err := out.Check(r.kind)
	if err == nil {
		err = r.each(out)
	}
	if err != nil {
		r.fail(line, "", "%v", err)
	}
}

// WriteCSV writes rows as ReadCSV reads them, with a header. The columns date and tags are left out when no row has one.
func WriteCSV(w io.Writer, kind Kind, rows []Row) error {
	head, long := header(kind), false
	for i := range rows {
		long = long || rows[i].Date != "" || len(rows[i].Tags) > 0
	}
	if long {
		head += more
	}
	out := csv.NewWriter(w)
	_ = out.Write(strings.Split(head, ",")) // kept by the writer, told by Error
	for i := range rows {
		r := &rows[i]
		line := []string{r.Value}
		if kind == ID {
			line = append(line, r.Browser, joinVersions(r.Versions))
		}
		line = append(line, r.Campaign, r.Verdict, r.Source, r.Note)
		if long {
			line = append(line, r.Date, joinWords(r.Tags))
		}
		_ = out.Write(line)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the rows: %w", err)
	}
	return nil
}
