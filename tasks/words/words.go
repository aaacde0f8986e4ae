// A function task: counts the words of input.txt and writes those that come most often, with their counts, as JSON to
// output.txt.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"unicode"
)

// most is how many words are listed.
const most = 10

type entry struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

type report struct {
	Words     int     `json:"words"`
	Different int     `json:"different"`
	Most      []entry `json:"most"`
}

func count(text string) report {
	// An apostrophe is part of a word ("don't"), other punctuation ends it.
	words := strings.FieldsFunc(strings.ToLower(text), func(char rune) bool {
		return !unicode.IsLetter(char) && !unicode.IsDigit(char) && char != '\'' && char != '’'
	})
	counts := map[string]int{}
	for _, word := range words {
		counts[word]++
	}
	entries := make([]entry, 0, len(counts))
	for word, count := range counts {
		entries = append(entries, entry{word, count})
	}
	// A map has no order of its own: words that come equally often are listed by the alphabet.
	sort.Slice(entries, func(i, j int) bool {
		if entries[i].Count != entries[j].Count {
			return entries[i].Count > entries[j].Count
		}
		return entries[i].Word < entries[j].Word
	})
	return report{len(words), len(entries), entries[:min(most, len(entries))]}
}

func run() error {
	text, err := os.ReadFile("input.txt")
	if err != nil {
		return err
	}
	out, err := json.MarshalIndent(count(string(text)), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile("output.txt", append(out, '\n'), 0o644)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}
