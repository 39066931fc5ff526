package lists

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// A table is a CSV file while it is read.
type table struct {
	rd      *csv.Reader
	columns map[string]int // by name in lower case
	row     []string
	line    int
}

func newTable(data []byte) *table {
	t := &table{rd: csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))}
	t.rd.FieldsPerRecord = -1
	t.rd.LazyQuotes = true
	t.rd.ReuseRecord = true
	return t
}

// next reads a row.
func (t *table) next() (bool, error) {
	row, err := t.rd.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the rows: %w", err)
	}
	t.row = row
	t.line, _ = t.rd.FieldPos(0)
	return true, nil
}

// header reads the first row and wants these columns.
func (t *table) header(file string, wanted ...string) error {
	some, err := t.next()
	if err != nil {
		return err
	}
	if some {
		t.name(t.row)
	}
	for _, w := range wanted {
		if _, ok := t.columns[strings.ToLower(w)]; !ok {
			return fmt.Errorf("the list has no column %s; give the file %s", w, file)
		}
	}
	return nil
}

func (t *table) name(row []string) {
	t.columns = map[string]int{}
	for i, c := range row {
		c = strings.ToLower(strings.TrimSpace(c))
		if _, ok := t.columns[c]; !ok {
			t.columns[c] = i
		}
	}
}

// get returns the first of the columns that has a value.
func (t *table) get(names ...string) string {
	for _, n := range names {
		if i, ok := t.columns[n]; ok && i < len(t.row) {
			switch v := strings.TrimSpace(t.row[i]); strings.ToLower(v) {
			case "", "unknown", "n/a", "none", "fixme", "-":
			default:
				return v
			}
		}
	}
	return ""
}

// report returns the first of the columns that names a report: neither the extension's page in a store nor another list.
func (t *table) report(names ...string) string {
	for _, n := range names {
		v := t.get(n)
		file, _, _ := strings.Cut(v, "?")
		if address(v) != "" && !storeForm().MatchString(v) && !strings.HasSuffix(strings.ToLower(file), ".csv") {
			return v
		}
	}
	return ""
}

func (r *reader) chromeMalIDs(data []byte) error {
	t := newTable(data)
	if err := t.header("data/current-list-meta.csv", "EXTID", "CONFIRM-MAL", "CONTRIB-METHOD"); err != nil {
		return err
	}
	for {
		if some, err := t.next(); err != nil || !some {
			return err
		}
		// No name: some names of the list belong to another row.
		i := item{line: t.line, kind: indicators.ID, value: t.get("extid"), report: t.report("source", "article")}
		i.date = dateOf(t.get("date-dis"))
		if i.date.IsZero() {
			i.date = dateOf(t.get("date-add"))
		}
		switch t.get("browser") {
		case "edge":
			i.browser = "edge"
		case "both":
			i.browser = "chrome edge"
		}
		confirmed, method := t.get("confirm-mal"), t.get("contrib-method")
		i.sure = confirmed == "2" || confirmed == "3"
		doubt := func(is bool, tag string) {
			if is {
				i.doubts = append(i.doubts, tag)
			}
		}
		doubt(confirmed == "0" || confirmed == "", "unconfirmed")
		doubt(strings.HasPrefix(method, "Delta_Import"), "import")
		doubt(strings.Contains(method, "AI_Enrichment"), "generated")
		doubt(t.get("tpci-behavioral") == "clean", "analysed-clean")
		// A genuine product that was hijacked or sold: not all of its versions are bad.
		doubt(t.get("ownership-transfer") == "1", "hijacked")
		if t.get("tpci-identity") == "remediated" || t.get("tpci-verify") == "4" {
			i.drop = cleaned
		}
		r.take(i)
		r.takePackage(i, t.get("tpci-crx-hash"))
	}
}

func (r *reader) extSentry(data []byte) error {
	t := newTable(data)
	if err := t.header("feeds/extsentry_ioc_feed.csv", "extension_id", "threat_type", "reference_url"); err != nil {
		return err
	}
	for {
		if some, err := t.next(); err != nil || !some {
			return err
		}
		i := item{line: t.line, kind: indicators.ID, value: t.get("extension_id"), name: t.get("extension_name"), report: t.report("reference_url"),
			date: dateOf(t.get("first_seen"))}
		if t.get("threat_type") != "malicious" {
			i.drop = notBad
		}
		if strings.EqualFold(t.get("category"), "compromised") {
			i.doubts = append(i.doubts, "hijacked")
		}
		if strings.Contains(t.get("description"), "https://github.com/mallorybowes/") {
			i.doubts = append(i.doubts, "import")
		}
		if strings.Contains(t.get("chrome_webstore_url"), "microsoftedge.microsoft.com") {
			i.browser = "edge"
		}
		r.take(i)
		r.takePackage(i, t.get("crx_sha256"))
	}
}

// takePackage takes the hash of an extension's package.
func (r *reader) takePackage(of item, hash string) {
	if hash == "" || of.drop != "" {
		return
	}
	of.name = strings.TrimSpace("package of " + of.value + " " + of.name)
	of.kind, of.value = indicators.SHA256, hash
	r.take(of)
}

// malext reads the table in Markdown, or the IDs in one long line.
func (r *reader) malext(data []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxList+1)
	for line := 1; lines.Scan(); line++ {
		text := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(text, "|") {
			cells := strings.Split(strings.Trim(text, "|"), "|")
			id := strings.TrimSpace(cells[0])
			if strings.Trim(id, "-: ") == "" || strings.EqualFold(id, "Extension ID") {
				continue // the head of the table
			}
			i := item{line: line, kind: indicators.ID, value: id}
			if len(cells) > 2 {
				// A name may hold the sign that separates the columns.
				i.name, i.date = strings.Join(cells[1:len(cells)-1], "|"), dateOf(cells[len(cells)-1])
			}
			r.take(i)
			continue
		}
		for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
			if manifests.ValidID(word) {
				r.take(item{line: line, kind: indicators.ID, value: word})
			} else if !strings.ContainsAny(text, "#![") { // Markdown around the table
				r.leave(&item{line: line, value: word}, malformed, "")
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the lines: %w", err)
	}
	if r.read == 0 {
		return errors.New("the list holds no ID; give the file Malicious-Extensions.md")
	}
	return nil
}

// csv reads a file with a header that names its columns, or IDs alone.
func (r *reader) csv(data []byte) error {
	t := newTable(data)
	t.rd.Comment = '#'
	ids := []string{"id", "extension_id", "extensionid", "ext_id", "extid", "addon_id", "browser_extension_id", "extension id"}
	hashes, domains := []string{"sha256", "hash", "crx_sha256", "crx_file_sha256"}, []string{"domain", "host", "hostname"}
	bare := false
	for first := true; ; first = false {
		some, err := t.next()
		if err != nil || !some {
			if err == nil && r.read == 0 && len(r.dropped) == 0 {
				return errors.New("the list holds nothing; its first line must name a column id, sha256 or domain, or be an ID")
			}
			return err
		}
		if first {
			t.name(t.row)
			if !t.knows(ids) && !t.knows(hashes) && !t.knows(domains) {
				if !isID(withoutComment(t.row[0])) {
					return errors.New("the first line names no column id, sha256 or domain")
				}
				bare = true
			} else {
				continue
			}
		}
		if bare {
			r.bare(t)
			continue
		}
		i := item{line: t.line, name: t.get("name", "extension_name", "title", "browser_extension"), browser: browserOf(t.get("browser", "store")),
			versions: t.get("versions", "version", "affected_versions", "bad_versions"),
			report:   t.report("reference", "report", "reference_url", "url", "link", "article", "source", "metadata_link"),
			date:     dateOf(t.get("date", "first_seen", "date_added", "added", "published"))}
		if value := t.get(ids...); value != "" {
			i.kind, i.value = indicators.ID, value
			r.take(i)
		}
		i.versions = ""
		if value := t.get(hashes...); value != "" {
			i.kind, i.value = indicators.SHA256, value
			r.take(i)
		}
		if value := t.get(domains...); value != "" {
			i.kind, i.value = indicators.Domain, refang(value)
			r.take(i)
		}
	}
}

// bare takes a line of IDs alone: one, with a comment perhaps, or several. What follows the first and is no ID says
// something about it.
func (r *reader) bare(t *table) {
	for n, cell := range t.row {
		if value := withoutComment(cell); isID(value) || n == 0 {
			r.take(item{line: t.line, kind: indicators.ID, value: value})
		}
	}
}

// withoutComment cuts " # …" off.
func withoutComment(cell string) string {
	if i := strings.Index(cell, " #"); i >= 0 {
		cell = cell[:i]
	}
	return strings.TrimSpace(cell)
}

func (t *table) knows(names []string) bool {
	for _, n := range names {
		if _, ok := t.columns[n]; ok {
			return true
		}
	}
	return false
}

func isID(text string) bool {
	text = strings.TrimSpace(text)
	return manifests.ValidID(text) || indicators.IsGecko(text)
}

// browserOf returns the browser's name as ExtWatch has it; empty for what it does not know.
func browserOf(text string) string {
	switch text = strings.ToLower(text); {
	case strings.Contains(text, "firefox"), strings.Contains(text, "mozilla"):
		return "firefox"
	case strings.Contains(text, "edge"):
		return "edge"
	case strings.Contains(text, "opera"):
		return "opera"
	}
	return ""
}

// refang undoes what keeps people from clicking: "evil[.]example", "hxxps://".
func refang(text string) string {
	text = strings.NewReplacer("[.]", ".", "(.)", ".", "[:]", ":", "hxxp", "http").Replace(strings.ToLower(strings.TrimSpace(text)))
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "*."), ".")
}
