package settings

import (
	"fmt"
	"strings"
)

// Example returns a file that names every setting with its meaning and its built-in value, all of it in comments.
func Example() string {
	var b strings.Builder
	b.WriteString("# Settings of ExtWatch. What is commented out has the value that is shown.\n# Check a change: extwatch run --check-config\n")
	var open []string
	for _, o := range Options() {
		parts := strings.Split(o.Key, ".")
		groups, name := parts[:len(parts)-1], parts[len(parts)-1]
		same := 0
		for same < len(open) && same < len(groups) && open[same] == groups[same] {
			same++
		}
		if same == 0 {
			b.WriteString("\n")
		}
		for i := same; i < len(groups); i++ {
			fmt.Fprintf(&b, "#%s%s:\n", strings.Repeat("  ", i), groups[i])
		}
		open = groups
		indent := strings.Repeat("  ", len(groups))
		fmt.Fprintf(&b, "#%s# %s%s\n", indent, o.Help, o.limits())
		value := o.Built
		if value == "" {
			value = `""`
		}
		fmt.Fprintf(&b, "#%s%s: %s\n", indent, name, value)
	}
	return b.String()
}

// limits words what values are allowed.
func (o Option) limits() string {
	switch o.Kind {
	case Choice:
		return " One of: " + strings.Join(o.Choices, ", ") + "."
	case Duration:
		return fmt.Sprintf(" From %s to %s.", formatSeconds(o.Min), formatSeconds(o.Max))
	case Size:
		return fmt.Sprintf(" From %s to %s.", formatSize(o.Min), formatSize(o.Max))
	}
	return ""
}
