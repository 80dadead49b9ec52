using Graphene.Samples.DigitsService;

// dotnet run -- --Models:Digits:Path digits.graphene --urls http://127.0.0.1:8080
await DigitsApp.Create(args).RunAsync().ConfigureAwait(false);
