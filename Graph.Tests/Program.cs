using Graphene.Tests.Runtime.Checkpoints;

// The test runner loads this assembly; started as a program it is the process that a test kills.
return args switch
{
    [CheckpointWriter.Command, var folder] => CheckpointWriter.Run(folder),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("run the tests with: dotnet test");
    return 2;
}
