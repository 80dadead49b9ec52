using Graphene.Tests.Runtime.Checkpoints;
using Graphene.Tests.Runtime.Embedding;
using Graphene.Tests.Training;

// The test runner loads this assembly; started as a program it is a process of its own that a test starts, to kill it or to compare.
return args switch
{
    [CheckpointWriter.Command, var folder] => CheckpointWriter.Run(folder),
    [BundleProcess.Command, var path, var times] => BundleProcess.Run(path, times),
    [SmallTraining.Command, var steps, var threads] => SmallTraining.Print(steps, threads),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("run the tests with: dotnet test");
    return 2;
}
