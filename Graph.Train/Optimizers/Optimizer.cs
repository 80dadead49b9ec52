namespace Graphene.Train;

/// <summary>Changes parameters so that a loss falls.</summary>
/// <remarks>
/// <para>
/// Works in the graph: a step is one operation, to be run as often as wanted. Its state (the number of steps, moments, averages)
/// is variables of the graph, so it is saved with the weights and a training can go on as if it had never stopped.
/// </para>
/// <para>An optimizer belongs to the first graph that it is used in. Formulas are Keras's, whose names the parameters have.</para>
/// </remarks>
/// <param name="learningRate">A number or a schedule.</param>
/// <param name="name">The name of its state.</param>
public abstract class Optimizer(Schedule learningRate, string name)
{
    private readonly OptimizerSlots _slots = new();
    private OptimizerState? _state;

    /// <summary>The name of its state.</summary>
    public string Name { get; } = name;

    /// <summary>The learning rate.</summary>
    public Schedule LearningRate { get; } = learningRate;

    /// <summary>How gradients are bounded; not at all when null.</summary>
    public GradientClipping? Clipping { get; init; }

    /// <summary>What each step takes from parameters besides, times the learning rate (decoupled weight decay).</summary>
    public double WeightDecay { get; init; }

    /// <summary>Which parameters decay; all when null.</summary>
    public Func<Variable, bool>? Decays { get; init; }

    /// <summary>
    /// How much of a moving average of each parameter stays in a step; no averages when null. See <see cref="AverageOf"/>.
    /// </summary>
    public double? EmaMomentum { get; init; }

    /// <summary>Gradients are added up over so many steps, and their mean is used in the last of them.</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>How losses are scaled so that gradients of narrow types do not vanish; not at all when null.</summary>
    public LossScaling? LossScaling { get; init; }

    /// <summary>The number of updates so far, an i64 scalar; null before the first use.</summary>
    public Variable? Iterations => _state?.Iterations;

    /// <summary>
    /// The learning rate as a variable, to be changed from outside; null before the first use and when it is a schedule.
    /// </summary>
    public Variable? LearningRateVariable => _state?.LearningRate;

    /// <summary>A step that differentiates a loss and changes parameters.</summary>
    /// <param name="loss">A scalar.</param>
    /// <param name="parameters">What may change; all trainable variables of the graph that the loss depends on when null.</param>
    /// <returns>The step: run it as a target.</returns>
    public Operation Minimize(Tensor loss, IReadOnlyList<Variable>? parameters = null)
    {
        Variable[] changed = [.. parameters ?? [.. loss.Graph.Variables.Where(v => v.Trainable)]];
        OptimizerState state = StateOf(loss.Graph);
        Tensor scaled = state.Scale is { } scale ? loss * scale.Read().Cast(loss.DType) : loss;
        Tensor?[] gradients = parameters is null
            ? loss.Graph.GradientsOrNull([scaled], [.. changed.Select(v => v.Read())])
            : loss.Graph.Gradients(scaled, changed);
        (Tensor Gradient, Variable Parameter)[] pairs =
            [.. gradients.Zip(changed).Where(p => p.First is not null).Select(p => (p.First!, p.Second))];
        return Apply([.. pairs.Select(p => p.Gradient)], [.. pairs.Select(p => p.Parameter)]);
    }

    /// <summary>A step that changes parameters by given gradients.</summary>
    /// <param name="gradients">The gradients, one for each parameter; of a scaled loss when there is <see cref="LossScaling"/>.</param>
    /// <param name="parameters">What changes.</param>
    /// <returns>The step: run it as a target.</returns>
    public Operation Apply(IReadOnlyList<Tensor> gradients, IReadOnlyList<Variable> parameters)
    {
        if (parameters.Count == 0 || gradients.Count != parameters.Count)
        {
            throw new ArgumentException($"{gradients.Count} gradients for {parameters.Count} parameters", nameof(gradients));
        }
        Graph graph = parameters[0].Graph;
        OptimizerState state = StateOf(graph);
        if (LossScaling is null)
        {
            return Accumulated(graph, gradients, parameters, state);
        }
        Tensor finite = gradients.Select(g => g.IsFinite().ReduceAll()).Aggregate((all, one) => all.LogicalAnd(one));
        Tensor inverse = state.Scale!.Read().Reciprocal();
        Operation step = graph.If(finite, () =>
        {
            _ = Accumulated(graph, [.. gradients.Select(g => g * inverse.Cast(g.DType))], parameters, state);
        });
        return graph.Group(step, LossScaling.Adjust(state.Scale, state.GoodSteps!, finite));
    }

    /// <summary>The moving average of a parameter; null when there is none.</summary>
    public Variable? AverageOf(Variable parameter) => _slots.Find(parameter, "average");

    /// <summary>The next value of a parameter.</summary>
    protected abstract Tensor Next(ParameterUpdate update);

    private OptimizerState StateOf(Graph graph)
    {
        _state ??= OptimizerState.Create(graph, this);
        return ReferenceEquals(_state.Iterations.Graph, graph)
            ? _state
            : throw new GraphException(
                TrainDiagnostics.LayerInOtherGraph, $"optimizer '{Name}' has its state in graph '{_state.Iterations.Graph.Name}'",
                why: "its state is variables of one graph", fix: "make another optimizer");
    }

    private Operation Accumulated(
        Graph graph, IReadOnlyList<Tensor> gradients, IReadOnlyList<Variable> parameters, OptimizerState state)
    {
        if (GradientAccumulationSteps <= 1)
        {
            return Update(graph, gradients, parameters, state);
        }
        Variable[] sums = [.. parameters.Select(p => _slots.Get(p, "gradient_sum", 0))];
        Tensor[] added = [.. sums.Select((s, i) => s.Read() + gradients[i])];
        Tensor number = state.Accumulated!.Read() + 1;
        Operation either = graph.If(
            number.GreaterEqual(GradientAccumulationSteps),
            () =>
            {
                _ = Update(graph, [.. added.Select(a => a * (1.0 / GradientAccumulationSteps))], parameters, state);
                foreach (Variable sum in sums)
                {
                    _ = sum.Assign(graph.Zeros(sum.Type.DType, sum.Type.Shape));
                }
                _ = state.Accumulated.Assign(graph.Constant(0L));
            },
            () =>
            {
                for (int i = 0; i < sums.Length; i++)
                {
                    _ = sums[i].Assign(added[i]);
                }
                _ = state.Accumulated.Assign(number);
            });
        return either;
    }

    private Operation Update(
        Graph graph, IReadOnlyList<Tensor> gradients, IReadOnlyList<Variable> parameters, OptimizerState state)
    {
        IReadOnlyList<Tensor> bounded = Clipping?.Apply(gradients) ?? gradients;
        Tensor done = state.Iterations.Read();
        Tensor rate = state.LearningRate?.Read() ?? LearningRate.At(done.Cast(DType.F32));
        Tensor number = (done + 1).Cast(DType.F32);
        var assignments = new List<Operation>();
        for (int i = 0; i < parameters.Count; i++)
        {
            Variable parameter = parameters[i];
            var update = new ParameterUpdate(_slots, assignments, parameter, bounded[i], rate, number);
            if (WeightDecay != 0 && (Decays?.Invoke(parameter) ?? true))
            {
                update.Value -= update.Value * (update.LearningRate * WeightDecay);
            }
            Tensor next = Next(update);
            if (EmaMomentum is { } momentum)
            {
                Variable average = _slots.Get(parameter, "average", 0);
                Tensor before = average.Read();
                Tensor first = done.Equal(0).Where(next, before); // the average begins at the first value
                assignments.Add(average.Assign(first + ((next - first) * (1 - momentum))));
            }
            assignments.Add(parameter.Assign(next));
        }
        assignments.Add(state.Iterations.Assign(done + 1));
        return graph.Group([.. assignments]);
    }
}

/// <summary>The state of an optimizer that belongs to no parameter.</summary>
internal sealed record OptimizerState(
    Variable Iterations, Variable? LearningRate, Variable? Accumulated, Variable? Scale, Variable? GoodSteps)
{
    public static OptimizerState Create(Graph graph, Optimizer optimizer)
    {
        using (graph.Scope(optimizer.Name))
        {
            return new OptimizerState(
                Of(0L, "iterations"),
                optimizer.LearningRate.Constant is { } rate ? Of((float)rate, "learning_rate") : null,
                optimizer.GradientAccumulationSteps > 1 ? Of(0L, "accumulated_steps") : null,
                optimizer.LossScaling is { } scaling ? Of((float)scaling.InitialScale, "loss_scale") : null,
                optimizer.LossScaling is not null ? Of(0L, "good_steps") : null);
        }

        Variable Of<T>(T value, string name)
            where T : unmanaged => graph.Variable(Literal.From([value]), name, trainable: false);
    }
}
