using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Branches and loops written with lambdas, and effects.</content>
public sealed partial class Graph
{
    /// <summary>One of two values; only the chosen lambda's ops run. Tensors from outside are captured automatically.</summary>
    /// <param name="predicate">A bool scalar.</param>
    /// <param name="whenTrue">Builds the value when it holds.</param>
    /// <param name="whenFalse">Builds the value otherwise, of the same type.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public Tensor Cond(
        Tensor predicate, Func<Tensor> whenTrue, Func<Tensor> whenFalse, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) => If(predicate, () => [whenTrue()], () => [whenFalse()], file, line)[0];

    /// <summary>As <see cref="Cond"/>, for several values.</summary>
    public Tensor[] If(
        Tensor predicate, Func<Tensor[]> whenTrue, Func<Tensor[]> whenFalse, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        (_, Tensor[] results) = Branch(
            new CallSite(file, line), predicate, [whenTrue, whenFalse], bodies => new IfOp(bodies[0], bodies[1]));
        return results;
    }

    /// <summary>Does something, or something else, for its effect: assignments, Print, Assert.</summary>
    public Operation If(
        Tensor predicate, Action whenTrue, Action? whenFalse = null, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        Branch(
            new CallSite(file, line), predicate, [Effect(whenTrue), Effect(whenFalse)],
            bodies => new IfOp(bodies[0], bodies[1])).Operation;

    /// <summary>The values of the lambda with a number (an i32 scalar); of the last one for any other number.</summary>
    public Tensor[] Case(
        Tensor number, Func<Tensor[]>[] branches, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        Branch(new CallSite(file, line), number, branches, bodies => new CaseOp(bodies.ToValueList())).Results;

    /// <summary>Repeats a body for as long as a condition holds. Tensors from outside are captured automatically.</summary>
    /// <param name="initial">The values to begin with.</param>
    /// <param name="condition">Builds a bool scalar from the present values.</param>
    /// <param name="body">Builds the next values, of the same types.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The final values.</returns>
    public Tensor[] While(
        IReadOnlyList<Tensor> initial,
        Func<Tensor[], Tensor> condition,
        Func<Tensor[], Tensor[]> body,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        var site = new CallSite(file, line);
        Enter(site);
        Frame outer = Current;
        Node[] carried = [.. initial.Select(outer.Import)];
        (Frame conditionFrame, Node[] holds) = Body(site, outer, carried, p => [condition(p)]);
        (Frame bodyFrame, Node[] next) = Body(site, outer, carried, body);
        Enter(site);
        if (conditionFrame.State.Count > 0)
        {
            throw new GraphException(
                DiagnosticId.EffectInCondition,
                $"while: the condition assigns variable '{conditionFrame.State.Keys.First().Name}'",
                $"built in {outer.Builder.CurrentOrigin}", "a condition only looks", "assign in the body");
        }

        // A variable that the body assigns is carried: its value before the loop goes in, its last value comes out.
        Variable[] assigned = [.. bodyFrame.State.Keys];
        FrameInput[] captured =
            [.. assigned.Select(v => new FrameInput(null, v)).Union(conditionFrame.Captured).Union(bodyFrame.Captured)];
        Computation conditionBody = conditionFrame.Close("condition", captured, holds);
        IEnumerable<Node> passed = captured.Select((outside, i) =>
            i < assigned.Length ? bodyFrame.State[assigned[i]] : bodyFrame.Parameter(outside));
        Computation loopBody = bodyFrame.Close("body", captured, [.. next, .. passed]);
        Node loop = outer.Builder.Add(
            new WhileOp(conditionBody, loopBody), [.. carried, .. captured.Select(outer.ValueOf)]);
        Finish(loop, assigned, carried.Length);
        return [.. Enumerable.Range(0, carried.Length).Select(i => Wrap(outer.Builder.GetTupleElement(loop, i)))];
    }

    /// <summary>Writes a message and the values of tensors to the log of a run.</summary>
    /// <returns>The operation: fetch it, or make something depend on it, for it to happen.</returns>
    public Operation Print(
        string message, Tensor[]? values = null, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        HostCall(new CallSite(file, line), HostCallKind.Print, message, values ?? []);

    /// <summary>Stops a run with a message and the values of tensors unless a condition holds.</summary>
    /// <returns>The operation: fetch it, or make something depend on it, for it to happen.</returns>
    public Operation Assert(
        Tensor condition, string message, Tensor[]? values = null, [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0) =>
        HostCall(new CallSite(file, line), HostCallKind.Assert, message, [condition, .. values ?? []]);

    /// <summary>Hands the value of a tensor to whoever listens to the session's taps.</summary>
    /// <param name="name">The name that it is handed over by.</param>
    /// <param name="value">The tensor.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <returns>The operation: fetch it, or make something depend on it, for it to happen.</returns>
    public Operation Tap(string name, Tensor value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        HostCall(new CallSite(file, line), HostCallKind.Tap, name, [value]);

    private Operation HostCall(CallSite site, HostCallKind kind, string message, Tensor[] operands)
    {
        Node[] call = Build(site, operands, (b, x) => [b.HostCall(kind, message, NextOrdinal(), x)]);
        return AddEffect(call[0]);
    }

    private (Operation Operation, Tensor[] Results) Branch(
        CallSite site, Tensor selector, Func<Tensor[]>[] branches, Func<Computation[], Op> op)
    {
        Enter(site);
        Frame outer = Current;
        Node chooses = outer.Import(selector);
        (Frame Frame, Node[] Results)[] bodies = Array.ConvertAll(
            branches, branch => Body(site, outer, Array.Empty<TensorType>(), _ => branch()));
        Enter(site);
        Variable[] assigned = [.. bodies.SelectMany(b => b.Frame.State.Keys).Distinct()];
        FrameInput[] captured = [.. bodies.SelectMany(b => b.Frame.Captured).Union(assigned.Select(v => new FrameInput(null, v)))];
        Computation[] computations = Array.ConvertAll(bodies, body =>
        {
            IEnumerable<Node> states = assigned.Select(body.Frame.Read);
            return body.Frame.Close("branch", captured, [.. body.Results, .. states]);
        });
        Node node = outer.Builder.Add(op(computations), [chooses, .. captured.Select(outer.ValueOf)]);
        int count = bodies[0].Results.Length;
        Operation operation = Finish(node, assigned, count);
        return (operation, [.. Enumerable.Range(0, count).Select(i => Wrap(outer.Builder.GetTupleElement(node, i)))]);
    }

    // Assigns what a branch or loop assigned, and sees to it that its effects happen whenever it runs.
    private Operation Finish(Node node, Variable[] assigned, int firstState)
    {
        var nodes = new List<Node>();
        if (node.Op.HasSideEffects)
        {
            nodes.AddRange(AddEffect(node).Nodes);
        }
        for (int i = 0; i < assigned.Length; i++)
        {
            Node value = Current.Builder.GetTupleElement(node, firstState + i);
            Node assignment = Current.Assign(assigned[i], value);
            if (Current.Parent is null)
            {
                Attach(node, [assignment]);
                nodes.AddRange(AddEffect(assignment).Nodes);
            }
        }
        return new Operation(this, [.. nodes]);
    }

    private (Frame Frame, Node[] Results) Body(
        CallSite site, Frame outer, IEnumerable<Node> like, Func<Tensor[], Tensor[]> build) =>
        Body(site, outer, like.Select(node => node.Type), build);

    private (Frame Frame, Node[] Results) Body(
        CallSite site, Frame outer, IEnumerable<TensorType> types, Func<Tensor[], Tensor[]> build)
    {
        var frame = new Frame(outer, types);
        Current = frame;
        try
        {
            Tensor[] results = build(frame.Parameters);
            Enter(site);
            return (frame, [.. results.Select(frame.Import)]);
        }
        finally
        {
            Current = outer;
        }
    }

    private static Func<Tensor[]> Effect(Action? action) => () =>
    {
        action?.Invoke();
        return [];
    };
}
