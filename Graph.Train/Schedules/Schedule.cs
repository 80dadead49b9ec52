namespace Graphene.Train;

/// <summary>A number that depends on the step of the training, computed in the graph: usually the learning rate.</summary>
public abstract class Schedule
{
    /// <summary>The same number in every step.</summary>
    public static implicit operator Schedule(double value) => new ConstantSchedule(value);

    /// <summary>The number in a step.</summary>
    /// <param name="step">The number of steps that were done before: an f32 scalar.</param>
    /// <returns>An f32 scalar.</returns>
    public abstract Tensor At(Tensor step);

    /// <summary>The same number in every step, when it is that.</summary>
    internal virtual double? Constant => null;

    /// <summary>After <paramref name="steps"/> steps of rising in a line from 0 to this schedule's first number, this schedule.</summary>
    public Schedule WithWarmup(long steps) => new WarmupSchedule(this, steps);

    private sealed class ConstantSchedule(double value) : Schedule
    {
        internal override double? Constant => value;

        public override Tensor At(Tensor step) => step.Graph.Constant((float)value);
    }

    private sealed class WarmupSchedule(Schedule after, long steps) : Schedule
    {
        public override Tensor At(Tensor step)
        {
            Tensor first = after.At(step.Graph.Constant(0f));
            Tensor rising = first * ((step + 1) / steps).Minimum(step.Graph.Constant(1f));
            return step.Less(steps).Where(rising, after.At((step - steps).Relu()));
        }
    }
}
