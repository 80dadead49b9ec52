namespace Graphene.Bench.Training;

/// <summary>The page that shows training steps beside PyTorch's.</summary>
internal static class TrainingPage
{
    private const string Beginning =
        """
        # Training benchmarks

        Whole steps of the models of torch_bench.py: the same shapes, optimizers and number of threads, Graphene and PyTorch in turns
        (A B A B ...). Hosts change their speed by 10 to 50 % within seconds, so ratios within a row compare, times of different rows do
        not. [Notes](notes.md) say what bounds what.


        """;

    /// <summary>Writes the page.</summary>
    public static void Write(string path, Report report, string command, IEnumerable<int> threads)
    {
        File.WriteAllText(path, Beginning + report.ToMarkdown(command, threads));
        Console.WriteLine($"written to {path}");
    }
}
