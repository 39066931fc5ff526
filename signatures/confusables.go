package signatures

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// confusables returns look-alikes of Latin letters that compatibility normalization leaves alone. In each text the
// first letter is meant, the others look like it. The table is our own, drawn up by looking at letters; full-width,
// circled, mathematical and accented letters are not in it since normalization handles them.
func confusables() map[rune]rune {
	table := map[rune]rune{}
	for _, row := range []string{
		"aаɑαΑᴀⲁⲀꓮᎪɐʌΛλ", "bЬьВвБƄƅɓβΒᏏᏴꓐʙⲂⲃ", "cсСϲϹᴄⲥⲤꓚᏟҫҪƈ¢ʗ", "dԁԀᎠꓓɖɗđĐᴅⅆԃ", "eеЕєЄҽҼεΕɛᎬⲉⲈꓰэǝҿℇ",
		"fϝϜғҒꓝƒƑꞙꬵ", "gɡցԍԌᏀꓖǥǤɠɢᶃ", "hһҺհНнΗᎻᏂꓧɦⲎⲏħĦʜҥ", "iіІıɩιΙꙇɪᎥℹⲒⲓ¡", "jјЈϳʝᎫꓙɉȷյ",
		"kкКκΚᏦꓗқҚҝҡƙᴋⲔⲕ", "lӀӏǀƖłŁᏞꓡƚɫɬʟⳐⳑו׀١۱", "mмМΜᴍϻϺᎷꓟⲘⲙɱ", "nпոռηΝɴꓠⲚⲛƞŋɲпԥ", "oоОοΟσօՕᴏⲟⲞꓳ૦೦౦ഠ੦๐໐०οѳөӨøØɵᲝㅇ",
		"pрРρΡᴘⲢⲣꓑᏢþÞƿƥҏ", "qԛԚգզɋʠ", "rгГᴦꭇꭈᏒꓣʀɾɍяЯᎡɼ", "sѕЅꜱᏚᏕꓢʂƨՏ", "tтТτΤᴛⲦⲧꓔᎢŧŦƭʈҭ",
		"uυսᴜцʋꓴմɥՍμ", "vνѵѴᴠⱱꓦᏙᏤⴸ", "wԝԜѡѠωᴡᎳᏔꓪшШщաɯⱳⲰ", "xхХχΧⲭⲬꓫҳҲ×᙮", "yуУүҮγΥʏყꓬƴɣӯⲨⲩʎ", "zᴢʐƶƵΖꓜᏃȥⲌⲍɀ",
	} {
		rs := []rune(row)
		for _, r := range rs[1:] {
			table[r] = rs[0]
		}
	}
	return table
}

// A word is one word of a name as it reads, with how it was written.
type word struct {
	text    string // letters and digits in lower case, Latin where it looks Latin
	spoofed bool   // look-alike letters, hidden characters or turned direction were needed to read it
}

// maxNameRunes is how much of a name is read. Stores allow 75 characters; more is there to hide something behind.
const maxNameRunes = 256

// A reader reads names as a person does.
type reader struct{ table map[rune]rune }

// words returns the words that a person sees in a name.
func (rd *reader) words(name string) []word {
	var words []word
	var b strings.Builder
	var latin, foreign, fancy, hidden bool
	end := func() {
		if b.Len() > 0 {
			words = append(words, word{b.String(), hidden || fancy || foreign})
		}
		b.Reset()
		latin, foreign, fancy, hidden = false, false, false, false
	}
	runes, turned := straighten([]rune(clip(name, maxNameRunes*4)))
	runes = runes[:min(len(runes), maxNameRunes)]
	for i, r := range runes {
		if invisible(r) {
			// Joiners belong to Arabic, Indic scripts and emoji. Inside a Latin word they only hide.
			hidden = hidden || betweenLatin(runes, i)
			continue
		}
		if r == '™' || r == '℠' {
			end() // normalization would make letters of them
			continue
		}
		plain := norm.NFKC.String(string(r))
		for _, c := range norm.NFD.String(plain) {
			switch m, look := rd.lookup(c); {
			case unicode.Is(unicode.Mn, c):
			case look:
				b.WriteRune(m)
				foreign = true
			case unicode.IsLetter(c) || unicode.IsDigit(c):
				latin = latin || c < unicode.MaxASCII
				fancy = fancy || plain != string(r) && c < unicode.MaxASCII && unicode.IsLetter(c)
				b.WriteRune(unicode.ToLower(c))
			default:
				end()
			}
		}
	}
	end()
	if turned {
		for i := range words {
			words[i].spoofed = true
		}
	}
	return words
}

func (rd *reader) lookup(r rune) (rune, bool) {
	if r < unicode.MaxASCII {
		return r, false
	}
	if m, ok := rd.table[r]; ok {
		return m, true
	}
	m, ok := rd.table[unicode.ToLower(r)]
	return m, ok
}

// skeleton returns the words with one space between.
func (rd *reader) skeleton(name string) string {
	words := rd.words(name)
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}

// invisible reports whether a character shows nothing: format characters, variation selectors, fillers.
func invisible(r rune) bool {
	switch {
	case unicode.In(r, unicode.Cf, unicode.Variation_Selector), r == 0x034F, r == 0x115F, r == 0x1160, r == 0x17B4,
		r == 0x17B5, r == 0x3164, r == 0xFFA0, r == 0x2800:
		return true
	}
	return false
}

func betweenLatin(rs []rune, i int) bool {
	latin := func(step int) bool {
		for j := i + step; j >= 0 && j < len(rs); j += step {
			if !invisible(rs[j]) {
				return unicode.In(rs[j], unicode.Latin, unicode.Cyrillic, unicode.Greek)
			}
		}
		return false
	}
	return latin(-1) && latin(1)
}

// straighten returns the characters in the order in which they are seen, and whether any were turned around by a
// right-to-left override (U+202E). A turned run stands apart with spaces, so that a brand in it is seen ("evil" and
// then "MetaMask"); find puts the parts of one word together again.
func straighten(rs []rune) (out []rune, turned bool) {
	for i := 0; i < len(rs); i++ {
		if rs[i] != '\u202E' {
			out = append(out, rs[i])
			continue
		}
		turned = true
		j := i + 1
		for j < len(rs) && rs[j] != '\u202C' && rs[j] != '\u202E' && rs[j] != '\u202D' {
			j++
		}
		part := slices.Clone(rs[i+1 : j])
		slices.Reverse(part)
		out = append(append(append(out, ' '), part...), ' ')
		i = j - 1
	}
	return out, turned
}

// loosen merges signs that a hurried reader takes for each other: 0 o, 1 l i, rn m, vv w and so on.
func loosen(s string) string {
	return strings.NewReplacer("rn", "m", "vv", "w", "0", "o", "1", "l", "i", "l", "3", "e", "4", "a", "5", "s").Replace(s)
}
