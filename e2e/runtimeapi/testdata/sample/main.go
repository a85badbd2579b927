// The sample function does what its event says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

type request struct{ Do string }

type refusedError struct{}

func (refusedError) Error() string { return "refused as asked" }

var calls int

func handle(ctx context.Context, in request) (map[string]any, error) {
	calls++
	deadline, _ := ctx.Deadline()
	fmt.Println("doing", in.Do)
	switch in.Do {
	case "fail":
		return nil, refusedError{}
	case "fail plainly":
		return nil, errors.New("plain")
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(3)
	case "hang":
		select {}
	case "stop in time":
		<-ctx.Done()
		return nil, ctx.Err()
	case "wait":
		time.Sleep(200 * time.Millisecond)
	}
	return map[string]any{
		"did": in.Do, "calls": calls, "left": time.Until(deadline).Seconds(),
		"home": os.Getenv("HOME"), "own": os.Getenv("OWN"), "pid": os.Getpid(),
	}, nil
}

func main() {
	if os.Getenv("OWN") == "broken" {
		fmt.Println("cannot start")
		os.Exit(1)
	}
	lambda.Start(handle)
}
