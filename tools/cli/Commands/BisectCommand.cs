using System.CommandLine;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Optimizer;

namespace Graphene.Cli.Commands;

/// <summary>
/// <c>graphene bisect MODEL</c>: finds the optimizer rewrite that changes a result. The optimizer is run with ever closer
/// limits on the number of rewrites; the reference evaluator computes both sides, so a wrong answer is the optimizer's.
/// </summary>
internal static class BisectCommand
{
    private static readonly Option<double> Relative = new("--rtol")
    {
        Description = "Allowed error relative to the element before optimization.",
        DefaultValueFactory = _ => 1e-4,
    };

    private static readonly Option<double> OfLargest = new("--atol-of-max")
    {
        Description = "Allowed absolute error as a fraction of the largest element before optimization.",
        DefaultValueFactory = _ => 1e-5,
    };

    /// <summary>The command.</summary>
    /// <param name="io">Where it writes.</param>
    /// <param name="pipeline">Whose rewrites are searched; the default pipeline without it. Tests pass one with a fault.</param>
    public static Command Create(CommandIO io, PassPipeline? pipeline = null)
    {
        var command = new Command("bisect", "Find the optimizer rewrite that changes a model's result.")
        {
            CommonOptions.Model, CommonOptions.Input, CommonOptions.Random, CommonOptions.Dim, Relative, OfLargest,
        };
        command.SetAction(p => Run(p, io, pipeline ?? Pipelines.Default()));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io, PassPipeline pipeline)
    {
        InputSet inputSet = InputSet.Read(
            parsed.GetRequiredValue(CommonOptions.Input), parsed.GetValue(CommonOptions.Random) ?? 0);
        LoadedModel loaded = ModelLoader.Load(parsed.GetRequiredValue(CommonOptions.Model), CommonOptions.Dims(parsed), inputSet.Find);
        IReadOnlyList<Literal> inputs = inputSet.For(loaded, (symbol, value) => io.Progress($"{symbol.Name} = {value}"));
        Module module = Specialization.Apply(loaded.Module, SymbolBinding.Bind(loaded, inputs));
        var search = new Search(pipeline, module, inputs, new Tolerance(parsed.GetValue(Relative), 0, parsed.GetValue(OfLargest)));

        (string? problem, long rewrites, _) = search.Try(null);
        if (problem is null)
        {
            io.Output.WriteLine($"none of {rewrites} rewrites changes the result");
            return ExitCode.Success;
        }
        long good = 0;
        long bad = rewrites;
        while (good + 1 < bad)
        {
            long middle = good + ((bad - good) / 2);
            (string? atMiddle, _, _) = search.Try(middle);
            io.Progress($"{middle} rewrites: {atMiddle ?? "good"}");
            (good, bad) = atMiddle is null ? (middle, bad) : (good, middle);
        }
        (problem, _, string? last) = search.Try(bad);
        io.Output.WriteLine($"the first {good} of {rewrites} rewrites are good");
        io.Output.WriteLine(last ?? $"rewrite {bad}");
        io.Output.WriteLine($"after it: {problem}");
        return ExitCode.Negative;
    }

    private sealed class Search(PassPipeline pipeline, Module module, IReadOnlyList<Literal> inputs, Tolerance tolerance)
    {
        private readonly Literal[] _expected = Evaluator.Evaluate(module.Entry, inputs);

        /// <summary>Optimizes with a limit and compares.</summary>
        /// <returns>What is wrong, or null; the rewrites done; what the last one did.</returns>
        public (string? Problem, long Rewrites, string? Last) Try(long? limit)
        {
            var context = new PassContext(new OptimizerOptions { Debug = DebugOptions.None with { StopAfter = limit }, Verify = true });
            try
            {
                Module optimized = pipeline.Run(module, context);
                Literal[] actual = Evaluator.Evaluate(optimized.Entry, inputs);
                for (int i = 0; i < actual.Length; i++)
                {
                    if (tolerance.Difference(actual[i], _expected[i]) is { } difference)
                    {
                        return ($"output '{module.OutputNames[i]}': {difference}", context.Rewrites, context.LastRewrite);
                    }
                }
                return (null, context.Rewrites, context.LastRewrite);
            }
            catch (CompilerBugException e)
            {
                return (e.Message, context.Rewrites, context.LastRewrite);
            }
        }
    }
}
