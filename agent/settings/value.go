package settings

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parse reads a value from its text.
func (o Option) parse(text string) (any, error) {
	switch o.Kind {
	case Bool:
		switch text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", text)
	case Choice:
		if !slices.Contains(o.Choices, text) {
			return nil, fmt.Errorf("%q is none of %s", text, strings.Join(o.Choices, ", "))
		}
		return text, nil
	case Number:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return n, o.within(n, func(n int64) string { return strconv.FormatInt(n, 10) })
	case Duration:
		d, err := parseDuration(text)
		if err != nil {
			return nil, err
		}
		return d, o.within(int64(d/time.Second), formatSeconds)
	case Size:
		n, err := parseSize(text)
		if err != nil {
			return nil, err
		}
		return n, o.within(n, formatSize)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("it holds a control character")
	}
	if text != "" && o.check != nil {
		return text, o.check(text)
	}
	return text, nil
}

// within checks the bounds.
func (o Option) within(n int64, text func(int64) string) error {
	if n < o.Min {
		return fmt.Errorf("it must be at least %s", text(o.Min))
	}
	if o.Max > 0 && n > o.Max {
		return fmt.Errorf("it must be at most %s", text(o.Max))
	}
	return nil
}

// maxDays bounds the days of a duration: more overflow it.
const maxDays = 36_500

// parseDuration reads what time.ParseDuration reads, and days.
func parseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseInt(days, 10, 64); err == nil && n >= 0 && n <= maxDays {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q is no time; write for example 15m, 12h or 90d", text)
}

func formatSeconds(n int64) string {
	switch {
	case n > 0 && n%(24*3600) == 0:
		return fmt.Sprintf("%dd", n/(24*3600))
	case n > 0 && n%3600 == 0:
		return fmt.Sprintf("%dh", n/3600)
	case n > 0 && n%60 == 0:
		return fmt.Sprintf("%dm", n/60)
	}
	return fmt.Sprintf("%ds", n)
}

// sizeUnits are powers of 1024, as people who write MB for memory mean them.
var sizeUnits = [...]struct {
	name string
	n    int64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}}

func parseSize(text string) (int64, error) {
	for _, u := range sizeUnits {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64); err == nil && n >= 0 && n <= 1<<62/u.n {
				return n * u.n, nil
			}
		}
	}
	return 0, fmt.Errorf("%q is no size; write for example 256MB", text)
}

func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n >= u.n && n%u.n == 0 {
			return fmt.Sprintf("%d%s", n/u.n, u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

func syslogAddress(text string) error {
	u, err := url.Parse(text)
	if err == nil {
		switch u.Scheme {
		case "udp", "tcp", "tls":
			if u.Hostname() != "" && u.Port() != "" && u.Path == "" {
				return nil
			}
		case "unix":
			if u.Host == "" && strings.HasPrefix(u.Path, "/") {
				return nil
			}
		}
	}
	return errors.New("write it as udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or unix:///PATH")
}

func webhookURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return errors.New("it is no URL; write for example https://siem.example/extwatch")
	}
	if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1") {
		return nil
	}
	return errors.New("it must begin with https://, so that findings cannot be read on the way")
}

// absolute accepts the absolute paths of every system: the same file is checked on the machine of its author.
func absolute(text string) error {
	if filepath.IsAbs(text) || strings.HasPrefix(text, "/") || len(text) > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/') || strings.HasPrefix(text, `\\`) {
		return nil
	}
	return errors.New("it must be an absolute path")
}

// logFile accepts an absolute path, or a name without a folder.
func logFile(text string) error {
	if !strings.ContainsAny(text, `/\:`) && text != "." && text != ".." {
		return nil
	}
	return absolute(text)
}

func proxyURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("write it as http://HOST:PORT")
	}
	return nil
}

func feedProxy(text string) error {
	if text == "none" {
		return nil
	}
	return proxyURL(text)
}

// mirrors accepts addresses as package feed does, of every system.
func mirrors(text string) error {
	for _, a := range (Feed{Mirrors: text}).Addresses() {
		u, err := url.Parse(a)
		switch {
		case absolute(a) == nil, strings.HasPrefix(a, "file:///"), strings.HasPrefix(a, "file://localhost/"):
		case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("%q is neither an https URL nor the absolute path of a folder", a)
		case u.Scheme == "https", u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"), u.Scheme == "file":
		default:
			return fmt.Errorf("%q must begin with https://", a)
		}
	}
	return nil
}
