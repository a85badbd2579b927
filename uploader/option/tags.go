package option

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tag is a label on a stored object.
type Tag struct{ Key, Value string }

// ParseTag reads "key,value", with CSV's quotes where a part holds a comma, and holds it to the rules of S3: a key of 1
// to 128 characters that does not begin with "aws:", a value of up to 256, both of letters, digits, blanks and
// + - = . _ : / @ (S3 User Guide, "Categorizing your objects using tags").
func ParseTag(s string) (Tag, error) {
	r := csv.NewReader(strings.NewReader(s))
	fields, err := r.Read()
	if err != nil || len(fields) != 2 || strings.ContainsAny(s, "\r\n") {
		return Tag{}, fmt.Errorf("'%s' is not a tag: write key,value", s)
	}
	t := Tag{fields[0], fields[1]}
	if t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || utf8.RuneCountInString(t.Value) > 256 {
		return Tag{}, fmt.Errorf("tag '%s': a key has 1 to 128 characters, a value up to 256", s)
	}
	if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
		return Tag{}, fmt.Errorf("tag '%s': keys that begin with aws: are Amazon's", s)
	}
	for _, c := range t.Key + t.Value {
		if c == utf8.RuneError || !unicode.IsLetter(c) && !unicode.IsNumber(c) && !unicode.Is(unicode.Zs, c) && !strings.ContainsRune("+-=._:/@", c) {
			return Tag{}, fmt.Errorf("tag '%s': %q is not allowed in a tag", s, c)
		}
	}
	return t, nil
}

const maxTags = 10 // per object, on S3 and on Azure

// addTag appends one more tag to those of an object.
func addTag(tags []Tag, t Tag) ([]Tag, error) {
	for _, have := range tags {
		if have.Key == t.Key {
			return nil, fmt.Errorf("tag key '%s' is given twice", t.Key)
		}
	}
	if len(tags) == maxTags {
		return nil, errors.New("an object can have ten tags at most")
	}
	return append(tags, t), nil
}
