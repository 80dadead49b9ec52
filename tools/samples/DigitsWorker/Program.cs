using Graphene.Samples.DigitsWorker;
using Microsoft.Extensions.Hosting;

// dotnet run -- --Models:Digits:Path digits.graphene --Folders:Inbox in --Folders:Outbox out
await DigitsWorkerApp.Create(args).RunAsync().ConfigureAwait(false);
