using Graphene.Samples.DigitsConsole;

return DigitsCommand.Run(args, Console.Out, Console.Error);
