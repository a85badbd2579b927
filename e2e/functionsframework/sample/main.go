// Command sample is a function that does what an event asks of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/funcframework"
	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
	"github.com/cloudevents/sdk-go/v2/event"
)

func main() {
	if os.Getenv("OWN") == "broken" {
		fmt.Fprintln(os.Stderr, "cannot start")
		os.Exit(2)
	}
	functions.CloudEvent("Sample", do)
	if err := funcframework.StartHostPort("127.0.0.1", os.Getenv("PORT")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func do(ctx context.Context, e event.Event) error {
	var asked struct {
		Do      string `json:"do"`
		Message struct {
			Attributes map[string]string `json:"attributes"`
		} `json:"message"`
	}
	if err := json.Unmarshal(e.Data(), &asked); err != nil {
		return err
	}
	if asked.Do == "" {
		asked.Do = asked.Message.Attributes["do"]
	}
	fmt.Fprintf(os.Stderr, "pid %d doing %s of %s own=%s home=%s\n", os.Getpid(), asked.Do, e.Type(), os.Getenv("OWN"), os.Getenv("GOCACHE"))
	switch asked.Do {
	case "fail":
		return errors.New("as asked")
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(3)
	case "wait":
		time.Sleep(300 * time.Millisecond)
	case "hang":
		<-ctx.Done()
		fmt.Fprintln(os.Stderr, "cut off")
	}
	return nil
}
