namespace Graphene.Train;

/// <summary>What an optimizer works with when it computes the next value of one parameter.</summary>
public sealed class ParameterUpdate
{
    private readonly OptimizerSlots _slots;
    private readonly List<Operation> _assignments;

    internal ParameterUpdate(
        OptimizerSlots slots, List<Operation> assignments, Variable parameter, Tensor gradient, Tensor learningRate, Tensor step)
    {
        _slots = slots;
        _assignments = assignments;
        Parameter = parameter;
        Value = parameter.Read();
        Gradient = gradient;
        LearningRate = learningRate.Cast(gradient.DType);
        Step = step.Cast(gradient.DType);
    }

    /// <summary>The parameter.</summary>
    public Variable Parameter { get; }

    /// <summary>Its present value.</summary>
    public Tensor Value { get; internal set; }

    /// <summary>The gradient, clipped as the optimizer says.</summary>
    public Tensor Gradient { get; }

    /// <summary>The learning rate of this step, a scalar of the parameter's element type.</summary>
    public Tensor LearningRate { get; }

    /// <summary>The number of this step, the first being 1: a scalar of the parameter's element type.</summary>
    public Tensor Step { get; }

    /// <summary>State that belongs to the parameter and is shaped like it.</summary>
    /// <param name="name">Its name, for example <c>momentum</c>.</param>
    /// <param name="initial">Its first value, everywhere.</param>
    public Variable Slot(string name, double initial = 0) => _slots.Get(Parameter, name, initial);

    /// <summary>Gives state its next value.</summary>
    /// <returns>That value.</returns>
    public Tensor Set(Variable slot, Tensor value)
    {
        _assignments.Add(slot.Assign(value));
        return value;
    }
}

/// <summary>The state of an optimizer, by parameter and name.</summary>
internal sealed class OptimizerSlots
{
    private readonly Dictionary<(Variable, string), Variable> _slots = [];

    /// <summary>The state of a name; made when it is asked for first.</summary>
    public Variable Get(Variable parameter, string name, double initial)
    {
        if (!_slots.TryGetValue((parameter, name), out Variable? slot))
        {
            Literal value = Literal.Splat(parameter.Type, Scalar.FromNumber(parameter.Type.DType, initial));
            slot = parameter.Graph.Variable(value, $"{parameter.Name}/{name}", trainable: false);
            _slots.Add((parameter, name), slot);
        }
        return slot;
    }

    /// <summary>The state of a name; null when it was never asked for.</summary>
    public Variable? Find(Variable parameter, string name) => _slots.GetValueOrDefault((parameter, name));
}
