package outputs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	facility = 13 // log audit
	// enterprise is the number under which names of structured data are ours. 32473 is the one for examples and
	// private use (RFC 5612): we have none.
	enterprise = "extwatch@32473"
	// maxDatagram is what every network carries without loss over UDP in practice (RFC 5426 asks for 2048 and less).
	maxDatagram = 2048
	maxValue    = 512 // of one parameter
)

// rfc5424 writes an event as a syslog message.
func rfc5424(e Event, limit int) []byte {
	data := &strings.Builder{}
	data.WriteString("[" + enterprise)
	for _, p := range parameters(&e) {
		if p.value != "" {
			fmt.Fprintf(data, ` %s="%s"`, p.name, escapeValue(p.value))
		}
	}
	data.WriteString("]")
	head := fmt.Sprintf("<%d>1 %s %s extwatch %d %s ", facility*8+e.severity(), e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		headerField(e.Host, 255), os.Getpid(), headerField(string(e.Kind), 32))
	message := head + data.String() + " \ufeff" + oneLine(e.Message, 1024)
	if len(message) > limit { // the structured data cannot be cut
		message = head + "- \ufeff" + oneLine(e.Message, 1024)
	}
	return []byte(message)
}

type parameter struct{ name, value string }

// parameters are the facts of an event, under the names of the structured data; the journal's are the same in capitals.
func parameters(e *Event) []parameter {
	list := []parameter{
		{"event", string(e.Kind)}, {"id", strconv.FormatUint(uint64(e.Kind.Number()), 10)}, {"key", e.Key}, {"verdict", string(e.Verdict)},
		{"extension", e.Extension}, {"name", e.Name}, {"version", e.Version}, {"browser", e.Browser}, {"profile", e.Profile},
		{"user", e.User}, {"by", e.By}, {"path", e.Path}, {"exchanges", strings.Join(e.Exchanges, ",")}, {"reason", e.Reason}, {"finding", e.FindingKey},
	}
	if e.Finding != nil {
		list = append(list, parameter{"rule", e.Finding.Rule}, parameter{"title", e.Finding.Title}, parameter{"level", e.Finding.Level},
			parameter{"campaign", e.Finding.Campaign})
	}
	return list
}

// headerField is printable ASCII without spaces, or "-".
func headerField(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), limit)]
}

// escapeValue escapes what RFC 5424 §6.3.3 says. Line breaks are allowed there; they would forge lines in most files.
func escapeValue(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(oneLine(s, maxValue))
}

// oneLine is text without control characters, bounded in bytes.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// A syslogger sends to one address and keeps the connection.
type syslogger struct {
	address string
	tls     *tls.Config
	conn    net.Conn
	scheme  string
}

func (s *syslogger) send(ctx context.Context, _ string, message []byte) error {
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return fmt.Errorf("connect to %s: %w", s.address, err)
		}
	}
	if s.scheme == "tcp" || s.scheme == "tls" {
		message = append(strconv.AppendInt(nil, int64(len(message)), 10), append([]byte{' '}, message...)...)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(sendWithin)
	}
	err := s.conn.SetDeadline(deadline)
	if err == nil {
		_, err = s.conn.Write(message)
	}
	if err != nil {
		s.close()
		return fmt.Errorf("send to %s: %w", s.address, err)
	}
	return nil
}

// datagrams reports whether a message has to fit into one.
func (s *syslogger) datagrams() bool {
	return !strings.HasPrefix(s.address, "tcp:") && !strings.HasPrefix(s.address, "tls:")
}

func (s *syslogger) connect(ctx context.Context) error {
	u, err := url.Parse(s.address)
	if err != nil {
		return err
	}
	s.scheme = u.Scheme
	d := &net.Dialer{Timeout: sendWithin}
	switch u.Scheme {
	case "udp", "tcp":
		s.conn, err = d.DialContext(ctx, u.Scheme, u.Host)
	case "tls":
		s.conn, err = (&tls.Dialer{NetDialer: d, Config: s.tls}).DialContext(ctx, "tcp", u.Host)
	case "unix":
		s.conn, err = d.DialContext(ctx, "unixgram", u.Path)
	default:
		err = errors.New("write the address as udp://HOST:PORT, tcp://, tls:// or unix:///PATH")
	}
	if err != nil {
		s.conn = nil // of the interface, not only what it holds
	}
	return err
}

func (s *syslogger) close() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}
