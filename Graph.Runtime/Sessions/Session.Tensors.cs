using System.Collections.Immutable;

namespace Graphene.Runtime;

// Running by tensors.
public sealed partial class Session
{
    /// <summary>Computes one tensor.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{Tensor}, IReadOnlyList{ValueTuple{Tensor, Feed}}, IReadOnlyList{Operation}, CancellationToken)"/>
    public Literal Run(Tensor fetch, params (Tensor Tensor, Feed Value)[] feeds) => Run([fetch], feeds)[0];

    /// <summary>Computes tensors and carries out operations.</summary>
    /// <param name="fetches">What to compute.</param>
    /// <param name="feeds">
    /// Values of tensors of the graph; placeholders without a default that the fetches need must be among them.
    /// </param>
    /// <param name="targets">Operations to carry out besides, for example assignments.</param>
    /// <param name="cancellation">Stops the run; no variable changes then, and the session stays usable.</param>
    /// <returns>One value per fetch, in order.</returns>
    /// <exception cref="GraphException">A feed is missing or does not fit, or a check in the graph failed.</exception>
    /// <exception cref="OperationCanceledException">The token was raised.</exception>
    public Literal[] Run(
        IReadOnlyList<Tensor> fetches,
        IReadOnlyList<(Tensor Tensor, Feed Value)> feeds,
        IReadOnlyList<Operation>? targets = null,
        CancellationToken cancellation = default)
    {
        var key = new GraphPlanKey([.. fetches], feeds.Select(f => f.Tensor).ToImmutableArray(), [.. targets ?? []]);
        using PlanCache<GraphPlanKey>.Lease plan = RequireGraph(Example(key)).Get(key, cancellation);
        var values = new Dictionary<string, Feed>(StringComparer.Ordinal);
        for (int i = 0; i < feeds.Count; i++)
        {
            values.Add(plan.Program.Inputs[i].Name, feeds[i].Value);
        }
        return FedRun.Run(plan.Program, values, _options.Settings(cancellation));
    }

    /// <summary>Like Run, on another thread.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{Tensor}, IReadOnlyList{ValueTuple{Tensor, Feed}}, IReadOnlyList{Operation}, CancellationToken)"/>
    public Task<Literal[]> RunAsync(
        IReadOnlyList<Tensor> fetches,
        IReadOnlyList<(Tensor Tensor, Feed Value)> feeds,
        IReadOnlyList<Operation>? targets = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Run(fetches, feeds, targets, cancellation), cancellation);

    /// <summary>Compiles a plan for repeated use by position; variables are read and assigned by every run of it.</summary>
    /// <param name="fetches">What to compute.</param>
    /// <param name="feeds">
    /// The tensors that will be passed, in this order; null for the placeholders that the fetches need, as they were built.
    /// </param>
    /// <param name="targets">Operations to carry out besides.</param>
    /// <returns>A callable, to be disposed after use and before the session.</returns>
    /// <exception cref="GraphException">A feed is missing, or the graph cannot be compiled.</exception>
    public Callable MakeCallable(
        IReadOnlyList<Tensor> fetches, IReadOnlyList<Tensor>? feeds = null, IReadOnlyList<Operation>? targets = null)
    {
        var key = new GraphPlanKey([.. fetches], feeds?.ToImmutableArray(), [.. targets ?? []]);
        PlanCache<GraphPlanKey>.Lease plan = RequireGraph(Example(key)).Get(key, CancellationToken.None);
        return new Callable(plan.Program, plan, _options.Settings(CancellationToken.None));
    }

    /// <summary>A copy of the present value of a variable.</summary>
    public Literal ValueOf(Variable variable) => ValuesOf([variable])[0];

    /// <summary>Copies of the present values of variables, all from between the same two runs.</summary>
    public Literal[] ValuesOf(IReadOnlyList<Variable> variables) =>
        RequireGraph(variables.Count > 0 ? variables[0] : "no variable").Variables.Read(variables);

    /// <summary>Gives a variable a value from outside.</summary>
    /// <exception cref="ArgumentException">The value has another type.</exception>
    public void Assign(Variable variable, Literal value) => Assign([(variable, value)]);

    /// <summary>Gives variables values from outside, all between the same two runs.</summary>
    /// <exception cref="ArgumentException">A value has another type; nothing was assigned.</exception>
    public void Assign(IReadOnlyList<(Variable Variable, Literal Value)> values)
    {
        foreach ((Variable variable, Literal value) in values)
        {
            if (!value.Type.Equals(variable.Type))
            {
                throw new ArgumentException($"variable '{variable.Name}' is {variable.Type}, not {value.Type}", nameof(values));
            }
        }
        RequireGraph(values.Count > 0 ? values[0].Variable : "no variable").Variables.Write(values);
    }

    // Something that a message can name.
    private static object Example(GraphPlanKey key) =>
        key.Fetches.FirstOrDefault() ?? (object?)key.Targets.FirstOrDefault() ?? "a run of nothing";
}
