package notifier

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// stays is how long what is not malicious stays on the screen.
const stays = 10 * time.Minute

// How message boxes look and what they return; x/sys has few of the names.
const (
	boxFlags = windows.MB_ICONWARNING | windows.MB_SETFOREGROUND | windows.MB_TOPMOST
	idOK     = 1
	idCancel = 2
	idYes    = 6
	idNo     = 7
	idExpire = 32000 // IDTIMEOUT of WTSSendMessage
	wmClose  = 0x10
)

// Boxes show message boxes: Yes is what to do now, No is block it, Cancel closes. A toast with buttons needs a program
// that is registered for it and can be switched off; a message box is seen.
type boxes struct {
	session uint32 // 0: the one that this process is in
	out     chan Choice

	mu    sync.Mutex
	turn  int    // of the box that is shown; older ones have no say
	title string // of that box
}

func newBoxes(session uint32) *boxes { return &boxes{session: session, out: make(chan Choice, 8)} }

func openScreen(context.Context, time.Duration) (screen, error) { return newBoxes(0), nil }

func (b *boxes) show(_ context.Context, t Text) error {
	b.hide()
	text, err := windows.UTF16FromString(t.Body + "\n\n" + t.Ask)
	if err != nil {
		return fmt.Errorf("show a message box: %w", err)
	}
	title, err := windows.UTF16FromString("ExtWatch: " + t.Title)
	if err != nil {
		return fmt.Errorf("show a message box: %w", err)
	}
	b.mu.Lock()
	b.turn++
	turn := b.turn
	b.title = "ExtWatch: " + t.Title
	b.mu.Unlock()
	failed := make(chan error, 1)
	go func() {
		pressed, err := b.box(title, text, t)
		if err != nil {
			failed <- err
			return
		}
		b.mu.Lock()
		mine := turn == b.turn
		if mine {
			b.title = ""
		}
		b.mu.Unlock()
		if c := pressedButton(pressed); mine && c != "" {
			b.out <- c
		}
	}()
	select {
	case err := <-failed: // at once, when there is no desktop
		return fmt.Errorf("show a message box: %w", err)
	case <-time.After(300 * time.Millisecond):
		return nil
	}
}

func (b *boxes) box(title, text []uint16, t Text) (int32, error) {
	style := uint32(boxFlags | windows.MB_YESNOCANCEL)
	if t.Block == "" {
		style = boxFlags | windows.MB_OKCANCEL
	}
	if b.session == 0 {
		return windows.MessageBox(0, &text[0], &title[0], style)
	}
	timeout := uint32(stays.Seconds())
	if t.Critical {
		timeout = 0 // until it is answered
	}
	var response uint32
	send := windows.NewLazySystemDLL("wtsapi32.dll").NewProc("WTSSendMessageW")
	if err := send.Find(); err != nil {
		return 0, err
	}
	// The lengths are in bytes, without the zero at the end.
	ok, _, err := send.Call(0, uintptr(b.session), uintptr(unsafe.Pointer(&title[0])), uintptr(2*(len(title)-1)),
		uintptr(unsafe.Pointer(&text[0])), uintptr(2*(len(text)-1)), uintptr(style), uintptr(timeout), uintptr(unsafe.Pointer(&response)), 1)
	if ok == 0 {
		return 0, err
	}
	return int32(response), nil
}

func pressedButton(id int32) Choice {
	switch id {
	case idYes, idOK:
		return WhatNow
	case idNo:
		return Block
	case idCancel:
		return Dismissed
	case idExpire:
		return Expired
	}
	return ""
}

// hide closes the box of this process. One that WTSSendMessage shows cannot be closed from here; nobody listens to it
// any more.
func (b *boxes) hide() {
	b.mu.Lock()
	title := b.title
	b.title = ""
	b.turn++
	b.mu.Unlock()
	if title == "" || b.session != 0 {
		return
	}
	class, err1 := windows.UTF16PtrFromString("#32770") // of dialogs
	name, err2 := windows.UTF16PtrFromString(title)
	if err1 != nil || err2 != nil {
		return
	}
	user := windows.NewLazySystemDLL("user32.dll")
	if window, _, _ := user.NewProc("FindWindowW").Call(uintptr(unsafe.Pointer(class)), uintptr(unsafe.Pointer(name))); window != 0 {
		user.NewProc("PostMessageW").Call(window, wmClose, 0, 0) // as good as Cancel, and not heard
	}
}

func (b *boxes) choices() <-chan Choice { return b.out }

// adopt has nothing to adopt: what the process showed went with it.
func (b *boxes) adopt(uint32) {}

func (b *boxes) place() uint32 { return 0 }

func (b *boxes) keeps() bool { return false }

func (b *boxes) close() { b.hide() }

func (b *boxes) languages(context.Context) []string {
	list, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return []string{os.Getenv("LANG")}
	}
	return list
}
