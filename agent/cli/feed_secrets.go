package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Where passphrases come from: a file, the environment, or the person at the terminal; never the command line, which other
// users of the machine can read.
const (
	passphraseEnv     = "EXTWATCH_FEED_PASSPHRASE"
	rootPassphraseEnv = "EXTWATCH_FEED_ROOT_PASSPHRASE"
	maxPassphrase     = 1024 // bytes
)

// secrets knows the passphrases of one call of the program. The keys of daily work share one, unless the person says
// otherwise; each root key is asked for.
type secrets struct {
	c              *console
	file, rootFile string
	daily          []byte
	asked          map[string]int
}

func (s *secrets) ask(ctx context.Context, key string, fresh bool) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	s.asked[key]++
	root := strings.HasPrefix(key, "root")
	file, env, flag := s.file, passphraseEnv, "--passphrase-file"
	if root {
		file, env, flag = s.rootFile, rootPassphraseEnv, "--root-passphrase-file"
	}
	switch text := os.Getenv(env); {
	case s.asked[key] > 1 && (file != "" || text != ""):
		return nil, failed("each key has the passphrase that was given when it was made", "the passphrase for %s in %s is wrong", key, either(file, env))
	case file != "":
		return readPassphrase(file)
	case text != "":
		return []byte(text), nil
	}
	if !root && s.daily != nil && s.asked[key] == 1 {
		return s.daily, nil
	}
	word, err := s.prompt(key, fresh, root)
	if errors.Is(err, errNoTerminal) {
		return nil, usage("give "+flag+" FILE, or set "+env, "there is no terminal to ask for the passphrase of %s", key)
	}
	if err == nil && !root {
		s.daily = word
	}
	return word, err
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// readPassphrase reads the first line of a file that nobody else may read.
func readPassphrase(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, badPath(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, badPath(name, err)
	}
	if runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return nil, usage("chmod 600 "+name, "others on this computer can read %s", name)
	}
	line, err := bufio.NewReader(io.LimitReader(f, maxPassphrase+1)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, badPath(name, err)
	}
	if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 || len(line) > maxPassphrase {
		return nil, usage("write it into the first line", "%s holds no passphrase", name)
	}
	return line, nil
}

var errNoTerminal = errors.New("no terminal")

// terminal returns the terminal that a person types at.
func (c *console) terminal() (*os.File, bool) {
	f, ok := c.in.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// prompt asks the person at the terminal, twice for a new passphrase.
func (s *secrets) prompt(key string, fresh, root bool) ([]byte, error) {
	f, ok := s.c.terminal()
	if !ok {
		return nil, errNoTerminal
	}
	what := "Passphrase for " + key
	switch {
	case fresh && root:
		what = "New passphrase for " + key
	case fresh:
		what = "New passphrase for the keys of daily work"
	case s.asked[key] > 1:
		what = "That was wrong. Passphrase for " + key
	}
	word, err := s.hidden(f, what+": ")
	if err != nil || !fresh {
		return word, err
	}
	again, err := s.hidden(f, "Once more: ")
	if err == nil && !bytes.Equal(word, again) {
		err = usage("start again; nothing was written", "the two passphrases differ")
	}
	return word, err
}

func (s *secrets) hidden(f *os.File, prompt string) ([]byte, error) {
	fmt.Fprint(s.c.err, prompt)
	word, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(s.c.err)
	if err != nil {
		return nil, interrupted("no passphrase was typed")
	}
	return word, nil
}
