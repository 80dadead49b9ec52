using Graphene.Cli;

return CommandLine.Run(args);
