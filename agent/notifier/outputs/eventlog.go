package outputs

import "strings"

// logText is what an entry of the Windows Event Log says: the sentence, and below it the facts, one to a line.
func logText(e *Event) string {
	lines := []string{oneLine(e.Message, 1024), ""}
	for _, p := range parameters(e) {
		if p.value != "" {
			lines = append(lines, p.name+": "+oneLine(p.value, maxValue))
		}
	}
	return strings.Join(lines, "\r\n")
}
