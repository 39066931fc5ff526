package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

// A jsonFeed is "feed status --format json".
type jsonFeed struct {
	Organisation string         `json:"organisation"`
	Fingerprint  string         `json:"fingerprint"` // SHA-256 of root.json
	Published    time.Time      `json:"published"`
	Files        int            `json:"files"`
	Roles        []jsonFeedRole `json:"roles"`
	Waiting      string         `json:"waiting,omitempty"`
	Due          []string       `json:"due"`
}

type jsonFeedRole struct {
	Role      string        `json:"role"`
	Version   int64         `json:"version"`
	Expires   time.Time     `json:"expires"`
	Due       time.Time     `json:"due"`
	Threshold int           `json:"threshold"`
	Keys      []jsonFeedKey `json:"keys"`
}

type jsonFeedKey struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	File string `json:"file,omitempty"`
}

func newFeedStatus(c *console) *cobra.Command {
	f := &feedFlags{}
	var format string
	cmd := &cobra.Command{
		Use:   "status [flags]",
		Short: "Tell how a feed stands: roles, keys, what expires and what is due",
		Long: `Verifies what is published and tells how it stands. No key is opened.

Exit code: 0 nothing is due, 1 error, 3 something is due.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "table" && format != "json" {
				return usage("the formats are table and json", "there is no format %q", format)
			}
			p, err := f.open(c)
			if err != nil {
				return err
			}
			st, err := p.Status(cmd.Context())
			if err != nil {
				return feedError(err)
			}
			if format == "json" {
				err = encode(c, jsonStatus(st))
			} else {
				err = c.print(feedLines(c, st)...)
			}
			if err == nil && (len(st.Notes) > 0 || st.Waiting != "") {
				err = errFindings
			}
			return err
		},
	}
	f.folder(cmd)
	cmd.Flags().StringArrayVar(&f.rootKeys, "root-keys", nil, "look for root keys in this `FOLDER` too")
	cmd.Flags().StringVar(&format, "format", "table", "`FORMAT`: table or json")
	complete(cmd, "format", "table", "json")
	return cmd
}

func feedLines(c *console, st publisher.Status) []string {
	lines := []string{clean(st.Organisation, maxName) + ": " + count(st.Files, "file") + ", published " + st.Published.UTC().Format("2006-01-02 15:04") + " UTC",
		"first root: SHA-256 " + st.Fingerprint, "",
		c.paint(shadeQuiet, fmt.Sprintf("%-10s %8s  %-10s  %-6s  %s", "ROLE", "VERSION", "EXPIRES", "SIGN", "KEYS"))}
	for _, r := range st.Roles {
		for i, k := range r.Keys {
			head := fmt.Sprintf("%-10s %8d  %-10s  %-6s", r.Role, r.Version, r.Expires.Format(time.DateOnly), fmt.Sprintf("%d of %d", r.Threshold, len(r.Keys)))
			if i > 0 {
				head = fmt.Sprintf("%-10s %8s  %-10s  %-6s", "", "", "", "")
			}
			where := "elsewhere"
			if k.File != "" {
				where = clean(k.File, maxErrorText)
			}
			lines = append(lines, head+"  "+k.Name+"  "+c.paint(shadeQuiet, where))
		}
	}
	if st.Waiting != "" {
		lines = append(lines, "", "The new root waits for "+st.Waiting+".")
	}
	if len(st.Notes) > 0 {
		lines = append(lines, "", c.paint(shadeWarn, "due:"))
		for _, n := range st.Notes {
			lines = append(lines, "  "+clean(n, maxErrorText))
		}
	}
	return lines
}

func jsonStatus(st publisher.Status) jsonFeed {
	out := jsonFeed{Organisation: st.Organisation, Fingerprint: st.Fingerprint, Published: st.Published.UTC(), Files: st.Files,
		Waiting: st.Waiting, Due: list(st.Notes)}
	for _, r := range st.Roles {
		role := jsonFeedRole{Role: r.Role, Version: r.Version, Expires: r.Expires, Due: r.Due, Threshold: r.Threshold}
		for _, k := range r.Keys {
			role.Keys = append(role.Keys, jsonFeedKey{ID: k.ID, Name: k.Name, File: k.File})
		}
		out.Roles = append(out.Roles, role)
	}
	return out
}
