package publisher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	settingsName = "feed.yml"
	stateName    = "state.json"
)

const day = 24 * time.Hour

// settings is feed.yml. Which keys a role has, and how many must sign, is in the signed metadata and nowhere else.
type settings struct {
	Organisation string            `yaml:"organisation"`
	Expires      map[string]string `yaml:"expires"`
	Scrypt       int               `yaml:"scrypt"`
}

// Lifetimes returns how long each role's signature holds when nothing else is asked for.
//
// A root needs people and media from a drawer: once a year. The author signs targets and org with a passphrase at
// hand, and has a quarter of a year for it. Snapshot and timestamp are renewed by a nightly job; seven days of the
// timestamp survive a long weekend with the machine off, and bound for how long a thief who controls the network can keep
// agents on an old feed unnoticed.
func Lifetimes() map[string]time.Duration {
	return map[string]time.Duration{roleRoot: 365 * day, roleTargets: 90 * day, roleOrg: 90 * day, roleSnapshot: 30 * day, roleTimestamp: 7 * day}
}

const (
	// minScrypt is for tests only; a passphrase is guessed a thousand times faster than with the usual work.
	minScrypt = 8
	// usualScrypt is OWASP's first recommendation (N = 2^17, r = 8, p = 1): about half a second for a guess.
	usualScrypt = 17
	maxScrypt   = 22

	maxLifetime = 10 * 366 * day
)

const settingsHead = `# The settings of this feed. Which keys sign is not here but in public/metadata/, where it is signed;
# 'extwatch feed status' shows it. The key files are in keys/, those of the root elsewhere.
#
# expires: for how many days a role's signature holds. A change is used the next time that the role signs.
# scrypt: the work of guessing a key's passphrase, as a power of two.
`

func (s settings) write(name string) error {
	var b bytes.Buffer
	b.WriteString(settingsHead)
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write %s: %w", settingsName, err)
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

func readSettings(name string) (settings, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return settings{}, fmt.Errorf("read the feed's settings: %w", err)
	}
	var s settings
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&s); err != nil {
		return settings{}, refuse("correct the line", "%s: %w", name, err)
	}
	if s.Scrypt == 0 {
		s.Scrypt = usualScrypt
	}
	if s.Scrypt < minScrypt || s.Scrypt > maxScrypt {
		return settings{}, refuse("17 is usual", "%s: scrypt: %d is not between %d and %d", name, s.Scrypt, minScrypt, maxScrypt)
	}
	for role := range s.Expires {
		if _, known := Lifetimes()[role]; !known {
			return settings{}, refuse("the roles are root, targets, org, snapshot, timestamp", "%s: expires: there is no role %q", name, role)
		}
		if _, err := s.lifetime(role); err != nil {
			return settings{}, err
		}
	}
	return s, nil
}

// lifetime is for how long a role's signature holds.
func (s settings) lifetime(role string) (time.Duration, error) {
	text, ok := s.Expires[role]
	if !ok {
		return Lifetimes()[role], nil
	}
	return parseDays(text)
}

// parseDays reads a lifetime: "90d" or "90".
func parseDays(text string) (time.Duration, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), "d"))
	if err != nil || n < 1 || time.Duration(n)*day > maxLifetime {
		return 0, refuse("write a number of days, like 90d", "%q is no lifetime", text)
	}
	return time.Duration(n) * day, nil
}

// state is what was published last, by this folder. Next is written before public/ is changed: a publisher that was cut off
// knows its own half.
type state struct {
	Versions map[string]int64 `json:"versions"`
	Next     map[string]int64 `json:"next,omitempty"`
	At       time.Time        `json:"at"`
}

func (p *Publisher) readState() (state, error) {
	data, err := os.ReadFile(p.path(stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return state{Versions: map[string]int64{}}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("read what was published last: %w", err)
	}
	s := state{}
	if err := json.Unmarshal(data, &s); err != nil || s.Versions == nil {
		return state{}, refuse("restore it from a backup; or delete it and run 'extwatch feed publish --accept-public', if nobody else can write to public/",
			"%s is damaged", p.path(stateName))
	}
	return s, nil
}

// write keeps the state. Versions never fall.
func (s state) write(p *Publisher) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = replace(p.path(stateName), append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("note what is published: %w", err)
	}
	return nil
}

// begin notes what is going to be published.
func (s state) begin(p *Publisher, next map[string]int64) error {
	s.Next = next
	return s.write(p)
}

// done notes what was published.
func (s state) done(p *Publisher, versions map[string]int64) error {
	next := state{Versions: maps.Clone(s.Versions), At: p.cfg.now()}
	for role, v := range versions {
		next.Versions[role] = max(v, next.Versions[role])
	}
	return next.write(p)
}
