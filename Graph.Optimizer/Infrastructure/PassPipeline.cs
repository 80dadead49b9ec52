using System.Collections.Immutable;
using System.Diagnostics;

namespace Graphene.Optimizer;

/// <summary>Runs passes in order: verifies, dumps, times and logs between them.</summary>
public sealed class PassPipeline
{
    private readonly ImmutableArray<PassGroup> _groups;

    /// <summary>Makes a pipeline.</summary>
    /// <param name="groups">The passes, in order; those of a group repeat until none changes anything.</param>
    /// <exception cref="CompilerBugException">The order breaks what a pass states about its place.</exception>
    public PassPipeline(params ImmutableArray<PassGroup> groups)
    {
        _groups = groups;
        CheckOrder();
    }

    /// <summary>A pipeline of passes that run once each, as <c>graphene opt --passes</c> asks for.</summary>
    public static PassPipeline Of(params IEnumerable<IGraphPass> passes) => new([.. passes.Select(PassGroup.Once)]);

    /// <summary>All passes in the order of their first run.</summary>
    public IEnumerable<IGraphPass> Passes => _groups.SelectMany(g => g.Passes);

    /// <summary>Runs all passes that are not disabled.</summary>
    /// <exception cref="CompilerBugException">A pass failed or left a graph that does not verify.</exception>
    public Module Run(Module module, PassContext context)
    {
        var observer = new PassObserver(context);
        observer.Start(module);
        foreach (PassGroup group in _groups)
        {
            module = RunGroup(group, module, context, observer);
        }
        return module;
    }

    private static Module RunGroup(PassGroup group, Module module, PassContext context, PassObserver observer)
    {
        for (int round = 0; round < group.MaxRounds; round++)
        {
            Module before = module;
            foreach (IGraphPass pass in group.Passes)
            {
                if (!context.Options.Debug.DisabledPasses.Contains(pass.Name))
                {
                    module = RunPass(pass, module, context, observer);
                }
            }
            if (ReferenceEquals(before, module))
            {
                return module;
            }
        }
        if (group.MaxRounds > 1)
        {
            context.Log($"{group.Name}: no fixed point after {group.MaxRounds} rounds");
        }
        return module;
    }

    private static Module RunPass(IGraphPass pass, Module module, PassContext context, PassObserver observer)
    {
        context.CurrentPass = pass.Name;
        long rewrites = context.Rewrites;
        long start = Stopwatch.GetTimestamp();
        Module result;
        try
        {
            result = pass.Run(module, context);
        }
        catch (Exception e) when (!IsNotOurFault(e))
        {
            throw new CompilerBugException(observer.Where(pass), e.Message, e);
        }
        observer.After(pass, module, result, Stopwatch.GetElapsedTime(start), context.Rewrites - rewrites);
        return result;
    }

    // A GraphException is: what a user can do wrong was reported when the graph was built, so a rule built a wrong node. But the
    // file of a constant can change at any time, and only a plan shows whether a memory budget can be met.
    private static bool IsNotOurFault(Exception e) => e is CompilerBugException or OperationCanceledException ||
        (e is GraphException { Id: var id } && (id == DiagnosticId.ConstantChanged || id == OptimizerDiagnostics.ArenaBudget));

    private void CheckOrder()
    {
        var first = new Dictionary<string, int>();
        foreach (IGraphPass pass in Passes)
        {
            first.TryAdd(pass.Name, first.Count);
        }
        foreach (IGraphPass pass in Passes)
        {
            foreach (string earlier in pass.MustFollow.Where(first.ContainsKey))
            {
                Require(first[earlier] < first[pass.Name], pass.Name, "must follow", earlier);
            }
            foreach (string later in pass.MustPrecede.Where(first.ContainsKey))
            {
                Require(first[pass.Name] < first[later], pass.Name, "must precede", later);
            }
        }
    }

    private static void Require(bool holds, string pass, string relation, string other)
    {
        if (!holds)
        {
            throw new CompilerBugException("pipeline", $"{pass} {relation} {other}");
        }
    }
}
