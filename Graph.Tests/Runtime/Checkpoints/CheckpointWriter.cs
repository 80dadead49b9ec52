using System.Globalization;
using Graphene.Runtime;

namespace Graphene.Tests.Runtime.Checkpoints;

/// <summary>The process that saves one checkpoint after the other until it is killed.</summary>
internal static class CheckpointWriter
{
    /// <summary>The argument that starts it; the folder follows.</summary>
    public const string Command = "save-checkpoints";

    /// <summary>So many elements: a save takes a few milliseconds, most of them writing.</summary>
    public const int Elements = 1 << 15;

    // Whoever should kill it may have died itself.
    private const int MostSaves = 1000;

    /// <summary>Goes on from the last checkpoint; says "save N" before each save and "done N" after it.</summary>
    public static int Run(string folder)
    {
        using var state = new TrainingState(Elements);
        var checkpoints = new CheckpointFolder(folder, new CheckpointFolderOptions { Keep = 2 });
        long step = checkpoints.RestoreLatest(state.Saver)?.Step ?? 0;
        for (int saves = 0; saves < MostSaves; saves++)
        {
            step++;
            state.Set(step);
            Say("save", step);
            checkpoints.Save(state.Saver, step);
            Say("done", step);
        }
        return 1;
    }

    private static void Say(string what, long step)
    {
        Console.Out.WriteLine($"{what} {step.ToString(CultureInfo.InvariantCulture)}");
        Console.Out.Flush();
    }
}
